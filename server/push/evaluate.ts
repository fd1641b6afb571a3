/**
 * Which push rule does an event meet, and what follows from it?
 *
 * A ruleset is compiled once for a person and then asked for each event; what the room must be asked for
 * (member count, power, display name) is asked only by the rules that need it. Pure.
 * Spec: client-server-api#push-rules, #conditions-1.
 */
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import type { RoomEvent } from '../rooms/rooms.ts'
import { globMatcher, type Work, wordMatcher } from './glob.ts'
import {
  isHistoricalAction,
  type PushAction,
  type PushCondition,
  type PushRule,
  type Ruleset,
} from './rules.ts'

/** What conditions ask of the room as it is now. */
export interface PushContext {
  readonly joinedMembers: number
  /** The person's own display name in this room. */
  readonly displayName: string | undefined
  powerLevel(userId: RoomEvent['sender']): number
  /** Spec: client-server-api#mroompower_levels, `notifications`; 50 where it is silent. */
  notificationLevel(key: string): number
  /** What patterns may cost in all; without it they are not held to anything. */
  readonly work?: Work
}

export interface Outcome {
  readonly notify: boolean
  readonly highlight: boolean
  readonly actions: readonly PushAction[]
}

export type Evaluate = (event: RoomEvent, context: PushContext) => Outcome

type Test = (event: RoomEvent, context: PushContext) => boolean

export const quiet: Outcome = { notify: false, highlight: false, actions: [] }

export function compileRuleset(rules: Ruleset): Evaluate {
  const compiled: { test: Test; outcome: Outcome }[] = []
  const add = (list: readonly PushRule[], testOf: (rule: PushRule) => Test) => {
    for (const rule of list)
      if (rule.enabled) compiled.push({ test: testOf(rule), outcome: outcomeOf(rule.actions) })
  }
  add(rules.override, rule => allOf(rule.conditions ?? []))
  add(rules.content, rule => bodyMatches(rule.pattern ?? ''))
  add(rules.room, rule => event => event.roomId === rule.rule_id)
  add(rules.sender, rule => event => event.sender === rule.rule_id)
  add(rules.underride, rule => allOf(rule.conditions ?? []))
  return (event, context) => {
    for (const { test, outcome } of compiled) if (test(event, context)) return outcome
    return quiet
  }
}

/** Spec: client-server-api#actions: `highlight` without a value is true, absent is false. */
export function outcomeOf(actions: readonly PushAction[]): Outcome {
  const tweak = actions.find(action => isObject(action) && action['set_tweak'] === 'highlight')
  const notify = actions.includes('notify')
  return {
    notify,
    highlight: notify && isObject(tweak) && tweak['value'] !== false,
    actions: actions.filter(action => !isHistoricalAction(action)),
  }
}

function allOf(conditions: readonly PushCondition[]): Test {
  const tests = conditions.map(testOf)
  return (event, context) => {
    for (const test of tests) if (!test(event, context)) return false
    return true
  }
}

const never: Test = () => false

function testOf(condition: PushCondition): Test {
  const { key, pattern, value } = condition
  switch (condition.kind) {
    case 'event_match':
      if (typeof key !== 'string' || typeof pattern !== 'string') return never
      return key === 'content.body' ? bodyMatches(pattern) : propertyMatches(key, pattern)
    case 'event_property_is': {
      if (typeof key !== 'string' || !isSimple(value)) return never
      const read = propertyReader(key)
      return event => read(event) === value
    }
    case 'event_property_contains': {
      if (typeof key !== 'string' || !isSimple(value)) return never
      const read = propertyReader(key)
      return event => {
        const list = read(event)
        return Array.isArray(list) && list.includes(value)
      }
    }
    case 'contains_display_name':
      return (event, { displayName, work }) => {
        const body = event.content['body']
        return typeof body === 'string' && !!displayName && wordMatcher(literal(displayName))(body, work)
      }
    case 'room_member_count':
      return memberCountIs(condition['is'])
    case 'sender_notification_permission':
      if (typeof key !== 'string') return never
      return (event, context) => context.powerLevel(event.sender) >= context.notificationLevel(key)
    default:
      // Spec: client-server-api#conditions-1: "Unrecognised conditions MUST NOT match any events".
      return never
  }
}

function propertyMatches(key: string, pattern: string): Test {
  const read = propertyReader(key)
  const matches = globMatcher(pattern)
  return (event, { work }) => {
    const value = read(event)
    return typeof value === 'string' && matches(value, work)
  }
}

function bodyMatches(pattern: string): Test {
  const matches = wordMatcher(pattern)
  return (event, { work }) => {
    const body = event.content['body']
    return typeof body === 'string' && matches(body, work)
  }
}

function memberCountIs(text: Json | undefined): Test {
  const parts = typeof text === 'string' ? /^(==|<=|>=|<|>)?([0-9]{1,15})$/.exec(text) : null
  if (!parts) return never
  const count = Number(parts[2])
  switch (parts[1]) {
    case '<':
      return (_, { joinedMembers }) => joinedMembers < count
    case '>':
      return (_, { joinedMembers }) => joinedMembers > count
    case '<=':
      return (_, { joinedMembers }) => joinedMembers <= count
    case '>=':
      return (_, { joinedMembers }) => joinedMembers >= count
    default:
      return (_, { joinedMembers }) => joinedMembers === count
  }
}

/** A display name is no pattern: its `*` and `?` stand for any one character, which matches themselves too. */
function literal(name: string): string {
  return name.replaceAll('*', '?')
}

/** Spec: appendices#dot-separated-property-paths. */
export function propertyPath(key: string): readonly string[] {
  const path: string[] = []
  let part = ''
  for (let i = 0; i < key.length; i++) {
    const next = key[i + 1]
    if (key[i] === '\\' && (next === '.' || next === '\\')) {
      part += next
      i++
    } else if (key[i] === '.') {
      path.push(part)
      part = ''
    } else part += key[i]
  }
  return [...path, part]
}

function propertyReader(key: string): (event: RoomEvent) => Json | undefined {
  const [first, ...rest] = propertyPath(key)
  if (first === 'content' && rest.length > 0) return event => descend(event.content, rest)
  if (rest.length > 0) return () => undefined
  switch (first) {
    case 'type':
      return event => event.type
    case 'state_key':
      return event => event.stateKey
    case 'sender':
      return event => event.sender
    case 'room_id':
      return event => event.roomId
    case 'event_id':
      return event => event.eventId
    default:
      return () => undefined
  }
}

function descend(from: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = from
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

function isSimple(value: Json | undefined): value is null | boolean | number | string {
  return (
    value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string'
  )
}
