/**
 * Roles: power levels as people speak of them, and what may be done about them. Pure.
 *
 * Spec: client-server-api#mroompower_levels; rooms/v12#authorization-rules (9): nobody gives more than they have, nor takes
 * from those who have as much.
 */
import { isObject, type JsonObject, memberOf } from '#protocol/json.ts'
import { creatorPower } from '../../sync/power.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'

export type Role = 'creator' | 'administrator' | 'moderator' | 'member' | 'reader' | 'other'

/** Levels that people choose from. */
const named = { administrator: 100, moderator: 50, member: 0 } as const

type PowerLevels = Pick<RoomDetail, 'powerLevels'>

export function roleOf(power: number, detail: PowerLevels): Role {
  if (power >= creatorPower) return 'creator'
  if (power === named.administrator) return 'administrator'
  if (power === named.moderator) return 'moderator'
  const needed = levelOf(detail.powerLevels, 'send')
  if (power < needed) return 'reader'
  return power === named.member || power === needed ? 'member' : 'other'
}

/** Levels that we may give this member, the highest first; empty: we may change nothing. */
export function levelsFor(
  detail: Pick<RoomDetail, 'powerLevels' | 'ourPower' | 'may'>,
  member: Pick<Member, 'userId' | 'power'>,
  ourUserId: string,
): number[] {
  const isUs = member.userId === ourUserId
  if (!detail.may.setPower || roleOf(member.power, detail) === 'creator') return []
  if (!isUs && member.power >= detail.ourPower) return []
  const offered = new Set<number>([...Object.values(named), usersDefault(detail), member.power])
  return [...offered].filter(level => level <= detail.ourPower).sort((a, b) => b - a)
}

export interface Acts {
  readonly remove: boolean
  readonly ban: boolean
  readonly unban: boolean
}

/** Only on those who have less power than we. */
export function actsOn(
  detail: Pick<RoomDetail, 'ourPower' | 'may'>,
  member: Pick<Member, 'userId' | 'power' | 'membership'>,
  ourUserId: string,
): Acts {
  const isBelow = member.userId !== ourUserId && member.power < detail.ourPower
  const isBanned = member.membership === 'ban'
  return {
    remove: isBelow && !isBanned && detail.may.kick,
    ban: isBelow && !isBanned && detail.may.ban,
    // Spec: rooms/v12#authorization-rules: lifting a ban needs both levels.
    unban: isBelow && isBanned && detail.may.ban && detail.may.kick,
  }
}

export const rights = [
  'send',
  'invite',
  'rename',
  'access',
  'pin',
  'redact',
  'kick',
  'ban',
  'room',
  'power',
] as const
export type Right = (typeof rights)[number]

/** Which level an act needs, with the specification's defaults. */
export function levelOf(powerLevels: JsonObject, right: Right): number {
  switch (right) {
    case 'send':
      return number(powerLevels['events_default'], 0)
    case 'invite':
      return number(powerLevels['invite'], 0)
    case 'kick':
    case 'ban':
    case 'redact':
      return number(powerLevels[right], 50)
    case 'room':
      return number(inside(powerLevels['notifications'], 'room'), 50)
    default: {
      const stateDefault = number(powerLevels['state_default'], 50)
      return Math.max(
        ...eventTypes[right].map(type => number(inside(powerLevels['events'], type), stateDefault)),
      )
    }
  }
}

const eventTypes = {
  rename: ['m.room.name', 'm.room.topic', 'm.room.avatar'],
  access: ['m.room.join_rules', 'm.room.history_visibility', 'm.room.encryption'],
  pin: ['m.room.pinned_events'],
  power: ['m.room.power_levels'],
} as const

/** The content with this act at this level. */
export function withLevel(powerLevels: JsonObject, right: Right, level: number): JsonObject {
  switch (right) {
    case 'send':
      return { ...powerLevels, events_default: level }
    case 'invite':
    case 'kick':
    case 'ban':
    case 'redact':
      return { ...powerLevels, [right]: level }
    case 'room':
      return { ...powerLevels, notifications: { ...object(powerLevels['notifications']), room: level } }
    default:
      return {
        ...powerLevels,
        events: {
          ...object(powerLevels['events']),
          ...Object.fromEntries(eventTypes[right].map(type => [type, level])),
        },
      }
  }
}

function usersDefault({ powerLevels }: PowerLevels): number {
  return number(powerLevels['users_default'], 0)
}

function inside(value: unknown, name: string): unknown {
  return isObject(value) ? memberOf(value, name) : undefined
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** Old rooms may have levels as text. */
function number(value: unknown, otherwise: number): number {
  const level = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return typeof level === 'number' && Number.isSafeInteger(level) ? level : otherwise
}
