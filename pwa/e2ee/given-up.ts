/**
 * What takes the place of a record that is damaged, once a person gave it up: never a gap that reads as if nothing had been.
 *
 * The vault keeps a copy of the damaged bytes before. Our own identity keys are not among these: without them this is
 * another device.
 */
import type { Context } from './context.ts'
import { queryOutdatedLists, receiveListChanges } from './device-lists.ts'
import { countAnew, sequenceId } from './one-time-keys.ts'
import { ownerOfIdentityRecord } from './passkey-device.ts'
import type { Step } from './records.ts'
import { type RoomChange, takeRoomAnew } from './room-settings.ts'
import { begun, begunPrefix } from './signed-invite.ts'

/** `whole`: the room's state and everybody in it, where the record is a room's; null: not known here. */
export async function goOnWithout(
  step: Step,
  context: Context,
  { store, id }: { readonly store: string; readonly id: string },
  whole: RoomChange | null,
): Promise<void> {
  if (store === 'identity') {
    // Nobody is written to before the server was asked again.
    step.delete('identity', id)
    await receiveListChanges(step, [ownerOfIdentityRecord(id)], [])
    await queryOutdatedLists(step, context)
  } else if (store === 'room') {
    // Whom we let in has to be let in again; that we know the room stays so, or the next to come would be let in unasked.
    if (id.startsWith(begunPrefix)) step.put('room', id, begun)
    else if (id.startsWith('!') && whole) {
      await takeRoomAnew(step, id, whole)
      await queryOutdatedLists(step, context)
    } else step.delete('room', id)
  } else if (store === 'account') {
    if (id === sequenceId) await countAnew(step)
    else step.delete('account', id)
  }
}
