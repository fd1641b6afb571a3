/**
 * Tells people in their account data of a room that it stands still, and why (`org.letro.frozen`: server, by, event_id,
 * since); an empty content says that it goes on.
 *
 * It follows the room: a row says that people were told, and goes when they know that it goes on. After a crash in
 * between, the next start tells it anew for every room that stands still or of which that was told.
 */

import type { RoomId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { frozenContent, frozenType } from '../rooms/freezer.ts'
import type { Rooms } from '../rooms/rooms.ts'
import { frozenRooms, roomHeads, roomNumbers, toldStandstills } from '../store/catalogue.ts'
import { type Store, StoreError } from '../store/store.ts'
import type { AccountData } from './account-data.ts'

export interface FrozenNoticesDeps {
  readonly store: Store
  readonly rooms: Pick<Rooms, 'view' | 'serverName' | 'onFrozen'>
  readonly accountData: Pick<AccountData, 'get' | 'set'>
  readonly report: (message: string) => void
}

export async function openFrozenNotices({
  store,
  rooms,
  accountData,
  report,
}: FrozenNoticesDeps): Promise<void> {
  let last: Promise<void> = Promise.resolve()
  const tellLater = (roomId: RoomId): void => {
    last = last
      .then(() => tell(roomId))
      .catch(() => report('people could not be told that a room stands still'))
  }
  rooms.onFrozen(tellLater)
  for (const roomId of await roomsToLookAt()) tellLater(roomId)

  async function roomsToLookAt(): Promise<RoomId[]> {
    return store.read(async view => {
      const still = await view.range(frozenRooms.under())
      const told = await view.range(toldStandstills.under())
      const numbers = new Set([...still, ...told].map(({ parts }) => parts[0]))
      const heads = await view.getMany([...numbers].map(number => roomHeads.key(number)))
      return heads.flatMap(head => head?.roomId ?? [])
    })
  }

  async function tell(roomId: RoomId): Promise<void> {
    const view = await rooms.view(roomId)
    if (!view) return
    const { frozen } = view
    if (frozen) await note(roomId, true)
    const content: JsonObject = frozen ? frozenContent(frozen) : {}
    for (const { stateKey } of [...view.members('join')]) {
      if (serverOf(stateKey) !== rooms.serverName) continue
      const said = await accountData.get(stateKey, roomId, frozenType)
      if (JSON.stringify(said ?? {}) === JSON.stringify(content)) continue
      await accountData.set(stateKey, roomId, frozenType, content).catch(unlessGone)
    }
    if (!frozen) await note(roomId, false)
  }

  async function note(roomId: RoomId, isTold: boolean): Promise<void> {
    await store.transact(`standstill of ${roomId}`, async tx => {
      const known = await tx.get(roomNumbers.key(roomId))
      if (!known) return
      const key = toldStandstills.key(known.number)
      if (((await tx.get(key)) !== undefined) === isTold) return
      if (isTold) tx.put(key, 1)
      else tx.delete(key)
    })
  }
}

/** Somebody whose account ended needs no notice; what the store did not take is told at the next start. */
function unlessGone(error: unknown): void {
  if (error instanceof StoreError) throw error
}
