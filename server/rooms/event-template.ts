/**
 * What we answer to make_join, make_leave and make_knock: a member event on the room's durable tip that its own
 * server fills, hashes and signs. Nothing is written.
 *
 * Spec: server-server-api#joining-rooms
 */
import { maxDepth, type Pdu } from '../protocol/event.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { authTypesFor } from './auth-events.ts'
import { authorise } from './event-auth.ts'
import { verify } from './primitives.ts'
import type { EventTemplate } from './remote-rooms.ts'
import type { RoomActor } from './room-actor.ts'
import { RoomError } from './rooms.ts'
import type { RoomsContext } from './rooms-context.ts'
import { maxPrevEvents } from './send.ts'

export async function memberTemplate(
  { store, reader, clock }: Pick<RoomsContext, 'store' | 'reader' | 'clock'>,
  actor: RoomActor,
  userId: UserId,
  content: JsonObject,
): Promise<EventTemplate & { readonly roomVersion: string }> {
  const { rules, durable, roomId } = actor
  const subject = { type: 'm.room.member', sender: userId, state_key: userId, content }
  const auth_events = authTypesFor(subject, rules).flatMap(
    ([type, key]) => durable.get(type, key)?.eventId ?? [],
  )
  const prev_events = actor.durableForward.slice(0, maxPrevEvents)
  const prev = await store.read(view => reader.byIds(view, prev_events))
  const depth = Math.min(maxDepth, 1 + Math.max(0, ...prev.map(event => event?.depth ?? 0)))
  const event = {
    ...subject,
    room_id: roomId,
    origin_server_ts: clock(),
    depth,
    prev_events,
    auth_events,
  }
  const verdict = authorise(
    { ...event, hashes: { sha256: '' } } satisfies Pdu,
    rules,
    (type, key) => durable.get(type, key),
    verify,
  )
  if (verdict.kind !== 'accept') throw new RoomError('M_FORBIDDEN', verdict.rule)
  return { roomVersion: rules.version, event }
}
