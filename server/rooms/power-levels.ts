/**
 * Who may do what, read from the room's create and power levels events.
 *
 * Spec: client-server-api#mroompower_levels, server-server-api#definitions. A power levels event in a room state has
 * passed the auth rules, so its levels are integers; what is not one counts as absent.
 */
import type { Pdu } from '../protocol/event.ts'
import { parseUserId, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject, memberOf } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import type { StateLookup } from './graph-event.ts'

/** The levels that are one number each, and what each is where nothing is said. */
export const defaultLevels = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const

export type NamedLevel = keyof typeof defaultLevels

/** The levels of one room state. */
export type PowerLevels = {
  /** Infinity for the creators of a version 12 room. */
  readonly ofUser: (user: string) => number
  readonly named: (name: NamedLevel) => number
  /** Spec: server-server-api#definitions, *required power level* */
  readonly toSend: (type: string, isState: boolean) => number
}

export function powerLevelsIn(state: StateLookup, rules: RoomRules): PowerLevels {
  return powerLevelsFrom(
    state('m.room.create', '')?.pdu,
    state('m.room.power_levels', '')?.pdu.content,
    rules,
  )
}

export function powerLevelsFrom(
  create: Pdu | undefined,
  content: JsonObject | undefined,
  rules: RoomRules,
): PowerLevels {
  const named = (name: NamedLevel) => (content && integerAt(content, name)) ?? defaultLevels[name]
  return {
    named,
    ofUser(user) {
      if (create && rules.creatorsHaveInfinitePower && isCreator(user, create, rules)) return Infinity
      if (content) return entryOf(content, 'users', user) ?? named('users_default')
      return create && isCreator(user, create, rules) ? 100 : 0
    },
    toSend(type, isState) {
      const explicit = content && entryOf(content, 'events', type)
      return explicit ?? named(isState ? 'state_default' : 'events_default')
    },
  }
}

/**
 * The one who made the room. Spec: rooms/v10#authorization-rules (1.4), and
 * rooms/v11#remove-the-creator-property-of-mroomcreate-events
 */
export function creatorOf(create: Pdu, rules: RoomRules): UserId | null {
  return rules.creatorIsInContent ? parseUserId(memberOf(create.content, 'creator')) : create.sender
}

/** Spec: rooms/v12#event-format: additional creators count where creators are beyond all power levels. */
export function creatorsOf(create: Pdu, rules: RoomRules): ReadonlySet<UserId> {
  const creators = new Set<UserId>()
  const first = creatorOf(create, rules)
  if (first) creators.add(first)
  if (rules.creatorsHaveInfinitePower) for (const user of additionalCreators(create)) creators.add(user)
  return creators
}

function isCreator(user: string, create: Pdu, rules: RoomRules): boolean {
  if (user === creatorOf(create, rules)) return true
  return rules.creatorsHaveInfinitePower && additionalCreators(create).includes(user as UserId)
}

/** Rule 1.4 has seen to it that these are user ids. */
function additionalCreators(create: Pdu): readonly UserId[] {
  const listed = memberOf(create.content, 'additional_creators')
  return Array.isArray(listed) ? (listed as UserId[]) : []
}

function entryOf(content: JsonObject, map: 'users' | 'events', name: string): number | undefined {
  const entries = memberOf(content, map)
  return isObject(entries) ? integerAt(entries, name) : undefined
}

function integerAt(object: JsonObject, name: string): number | undefined {
  const value = memberOf(object, name)
  return Number.isSafeInteger(value) ? (value as number) : undefined
}
