/** What power levels say. Spec: client-server-api#mroompower_levels; rooms/v12: creators stand above all levels. */
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import { type Room, stateContent, stateEvent } from './room.ts'

/** Above every number that a power level may have. */
export const creatorPower = Number.MAX_SAFE_INTEGER

/** Room versions in which creators need no power level. */
const withCreators = /^(?:1[2-9]|[2-9]\d)$/

export function creatorsOf(room: Room): readonly string[] {
  const create = stateEvent(room, 'm.room.create')
  if (!create) return []
  const more = create.content['additional_creators']
  return [create.sender, ...(Array.isArray(more) ? more.filter(id => typeof id === 'string') : [])]
}

export function roomVersion(room: Room): string {
  const version = stateContent(room, 'm.room.create')['room_version']
  return typeof version === 'string' ? version : '1'
}

export function powerOf(room: Room, userId: string): number {
  const creators = creatorsOf(room)
  if (withCreators.test(roomVersion(room)) && creators.includes(userId)) return creatorPower
  const event = stateEvent(room, 'm.room.power_levels')
  // Without the event whoever made the room may do everything.
  if (!event) return creators[0] === userId ? 100 : 0
  const users = event.content['users']
  const own = isObject(users) ? memberOf(users, userId) : undefined
  return level(own, level(event.content['users_default'], 0))
}

/** Which power sending an event of this type takes. */
export function powerToSend(room: Room, type: string, isState: boolean): number {
  const levels = stateContent(room, 'm.room.power_levels')
  const events = levels['events']
  const own = isObject(events) ? memberOf(events, type) : undefined
  if (own !== undefined) return level(own, 0)
  return isState
    ? level(levels['state_default'], hasLevels(room) ? 50 : 0)
    : level(levels['events_default'], 0)
}

export function powerTo(room: Room, act: 'invite' | 'kick' | 'ban' | 'redact'): number {
  return level(stateContent(room, 'm.room.power_levels')[act], act === 'invite' ? 0 : 50)
}

export function powerToNotifyRoom(levels: JsonObject): number {
  const notifications = levels['notifications']
  return level(isObject(notifications) ? notifications['room'] : undefined, 50)
}

function hasLevels(room: Room): boolean {
  return stateEvent(room, 'm.room.power_levels') !== null
}

function level(value: unknown, fallback: number): number {
  // Before room version 10 a level could be a text.
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : fallback
}
