/**
 * Memberships in rooms that are not here: an invite that waits for an answer, a knock, and how they ended.
 *
 * The member event is kept by its signature alone (nobody here can tell whether it holds), the person's row with the
 * stripped state that came with it. Both are one transaction, before anybody is answered. Once the room comes here the
 * event is judged like any other.
 *
 * Spec: server-server-api#inviting-to-a-room, client-server-api#stripped-state
 */
import { type EventId, type RoomId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { nextRoomNumber, roomMemberships, roomNumbers } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { type BuiltEvent, canonicalContent } from './build-event.ts'
import { writeEventRows } from './event-rows.ts'
import type { Incoming } from './incoming-event.ts'
import { RoomError, type RoomMembership } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { isMembership } from './state-layer.ts'
import { noFlags, StoredEvent } from './stored-event.ts'

export interface OutsideMembership {
  readonly roomId: RoomId
  readonly rules: RoomRules
  readonly event: Incoming | BuiltEvent
  readonly strippedState: readonly JsonObject[] | undefined
}

/** Open invites of one person from rooms that are not here. More are refused: nobody reads them any more. */
const maxOpenInvites = 1_000
/** Of these by the people of one server: what one of them does leaves room for the others. */
const maxOpenInvitesOfServer = 100
/** Of stripped state; more than any honest room has of it (CVE-2023-32323). */
const maxStrippedEvents = 50
const maxStrippedCharacters = 64 * 1024

/** Throws RoomError M_FORBIDDEN where the person is in the room, or has too many open invites. */
export async function writeOutside(
  context: RoomsContext,
  { roomId, rules, event, strippedState }: OutsideMembership,
): Promise<void> {
  const { pdu, eventId } = event
  const userId = pdu.state_key as UserId
  const claimed = pdu.content['membership']
  if (!isMembership(claimed)) throw new RoomError('M_INVALID_PARAM', 'The event says no membership.')
  if (claimed === 'invite') await checkOpenInvites(context, userId, serverOf(pdu.sender))
  const kept = strippedState && boundedStrippedState(strippedState)
  await context.store.transact([roomId, 'rooms:numbers'], async tx => {
    const number = await numberOf(tx, roomId, rules)
    const key = roomMemberships.key(userId, number)
    const old = await tx.get(key)
    if (old?.eventId === eventId) return
    if (old?.membership === 'join' && claimed !== 'leave' && claimed !== 'ban') {
      throw new RoomError('M_FORBIDDEN', `${userId} is in the room already.`)
    }
    const [known] = await context.reader.byIds(tx, [eventId], false)
    const outlier = keptBySignature(context, event)
    tx.sequence((next, rows) => {
      const position = next()
      if (!known) {
        outlier.at(position, position, 0 as typeof position)
        const { essential, extras } = event
        writeEventRows(rows, outlier, { essential, extras, contentText: canonicalContent(pdu.content) })
      }
      const row: RoomMembership = {
        roomId,
        membership: claimed,
        eventId,
        position,
        sender: pdu.sender,
        forgotten: false,
        everJoined: old?.everJoined ?? false,
        ...(old?.joinedUntil !== undefined && { joinedUntil: old.joinedUntil }),
        ...(kept && { strippedState: kept }),
      }
      rows.put(key, row)
      rows.announce(`user:${userId}`)
      context.actors.queued(null, position, () => context.memberships.changed(userId, row))
    })
  })
}

/** The invite or knock is over here, and there is no event that says so: nobody could be told. */
export async function endOutside(context: RoomsContext, userId: UserId, roomId: RoomId): Promise<void> {
  await context.store.transact(roomId, async tx => {
    const numbered = await tx.get(roomNumbers.key(roomId))
    const key = numbered && roomMemberships.key(userId, numbered.number)
    const old = key && (await tx.get(key))
    if (!key || !old || (old.membership !== 'invite' && old.membership !== 'knock')) return
    tx.sequence((next, rows) => {
      const position = next()
      const { strippedState: _shown, ...rest } = old
      const row: RoomMembership = { ...rest, membership: 'leave', position }
      rows.put(key, row)
      rows.announce(`user:${userId}`)
      context.actors.queued(null, position, () => context.memberships.changed(userId, row))
    })
  })
}

/** What clients are shown: whatever else a stranger put there is dropped. */
export function boundedStrippedState(events: readonly JsonObject[]): JsonObject[] {
  const kept: JsonObject[] = []
  let characters = 0
  for (const { type, state_key, sender, content } of events.slice(0, maxStrippedEvents)) {
    if (typeof type !== 'string' || typeof state_key !== 'string' || typeof sender !== 'string') continue
    if (!isObject(content)) continue
    const event = { type, state_key, sender, content }
    const { length } = JSON.stringify(event)
    // One that is far too large does not keep the room's name out.
    if (characters + length > maxStrippedCharacters) continue
    characters += length
    kept.push(event)
  }
  return kept
}

async function checkOpenInvites(
  { memberships }: RoomsContext,
  userId: UserId,
  server: ServerName,
): Promise<void> {
  let open = 0
  let ofServer = 0
  for (const { membership, sender } of (await memberships.of(userId)).values()) {
    if (membership !== 'invite') continue
    open++
    if (serverOf(sender) === server) ofServer++
  }
  if (ofServer >= maxOpenInvitesOfServer) {
    throw new RoomError('M_FORBIDDEN', `${userId} has too many open invites from ${server}.`)
  }
  if (open >= maxOpenInvites) throw new RoomError('M_FORBIDDEN', `${userId} has too many open invites.`)
}

async function numberOf(tx: Transaction, roomId: RoomId, rules: RoomRules): Promise<number> {
  const [known, next = 1] = await tx.getMany([roomNumbers.key(roomId), nextRoomNumber.key()])
  if (known) return known.number
  tx.put(nextRoomNumber.key(), next + 1)
  tx.put(roomNumbers.key(roomId), { number: next, version: rules.version })
  return next
}

function keptBySignature(context: RoomsContext, { pdu, eventId }: Incoming | BuiltEvent): StoredEvent {
  const { signatures, ...unsigned } = pdu
  return new StoredEvent(unsigned, {
    eventId: eventId as EventId,
    flags: { ...noFlags, outlier: true, unjudged: true },
    signatures,
    // Ours, or an invite of ours that we have signed: both are made on the way out.
    ourKey: context.signer.keyId,
  })
}
