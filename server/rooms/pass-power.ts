/** Power over a room goes from one person to another, by an event of whoever has it. Spec: client-server-api#mroompower_levels */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { Rooms, RoomView } from './rooms.ts'

/** May this person say who may do what? */
export function hasPower(view: Pick<RoomView, 'maySend'>, userId: UserId): boolean {
  return view.maySend(userId, 'm.room.power_levels', true)
}

/** Others are here, this person may change who has power, and nobody else may. */
export function isSole(view: RoomView, userId: UserId): boolean {
  if (view.memberCount('join') < 2 || !hasPower(view, userId)) return false
  for (const { stateKey } of view.members('join'))
    if (stateKey !== userId && hasPower(view, stateKey)) return false
  return true
}

/** Who is not there yet is invited. @throws RoomError what the room's rules refuse */
export async function passPower(
  rooms: Pick<Rooms, 'view' | 'send'>,
  userId: UserId,
  successor: UserId,
  roomId: RoomId,
): Promise<void> {
  const view = await rooms.view(roomId)
  if (!view) return
  const send = (type: string, stateKey: string, content: JsonObject) =>
    rooms.send({ roomId, sender: userId, type, stateKey, content })
  const membership = view.membership(successor)
  if (membership !== 'join' && membership !== 'invite')
    await send('m.room.member', successor, { membership: 'invite' })
  if (view.creators.has(successor) && view.powerLevel(successor) === Number.POSITIVE_INFINITY) return
  const content = view.state('m.room.power_levels', '')?.content ?? {}
  const users = isObject(content['users']) ? content['users'] : {}
  await send('m.room.power_levels', '', {
    ...content,
    users: { ...users, [successor]: levelToPassOn(view, userId, content) },
  })
}

/** As much as the person has; a version 12 creator has more than any number, and passes on what the room asks for. */
function levelToPassOn(view: RoomView, userId: UserId, content: JsonObject): number {
  const own = view.powerLevel(userId)
  if (Number.isFinite(own)) return own
  const events = isObject(content['events']) ? Object.values(content['events']) : []
  const asked = [...events, content['state_default'], content['ban'], content['kick'], content['redact']]
  return Math.max(100, ...asked.filter(level => typeof level === 'number'))
}
