/**
 * The push rules, judged here: the server cannot judge what it cannot read. Pure.
 *
 * Spec: client-server-api#push-rules. Patterns are matched as #glob-style-matching says. A condition that we do not know
 * holds never, a rule of the wrong shape is passed over.
 */
import { isObject, type Json, type JsonObject, memberOf } from '#protocol/json.ts'

export interface JudgedEvent {
  readonly type: string
  readonly sender: string
  readonly roomId: string
  readonly stateKey: string | null
  readonly content: JsonObject
}

export interface PushView {
  readonly ourUserId: string
  readonly ourName: string | null
  readonly joinedCount: number
  /** Of a user id. */
  readonly power: (userId: string) => number
  /** Which power notifying everybody takes. */
  readonly roomNotificationPower: number
}

export interface PushVerdict {
  readonly notify: boolean
  readonly highlight: boolean
  readonly sound: boolean
}

const nothing: PushVerdict = { notify: false, highlight: false, sound: false }
/** In the order in which they are asked. */
const kinds = ['override', 'content', 'room', 'sender', 'underride'] as const

/** `rules` is the content of `m.push_rules`. */
export function judge(rules: JsonObject, event: JudgedEvent, view: PushView): PushVerdict {
  if (event.sender === view.ourUserId) return nothing
  for (const kind of kinds) {
    for (const rule of rulesOf(rules, kind)) {
      if (rule['enabled'] === false || !matches(kind, rule, event, view)) continue
      return verdictOf(rule['actions'])
    }
  }
  return nothing
}

export type NotifyLevel = 'all' | 'mentions' | 'none'

/** What a person chose for a room. */
export function notifyLevel(rules: JsonObject, roomId: string): NotifyLevel {
  const silences = (rule: JsonObject) => rule['enabled'] !== false && !verdictOf(rule['actions']).notify
  const override = rulesOf(rules, 'override').find(rule => {
    const conditions = rule['conditions']
    if (!Array.isArray(conditions) || conditions.length !== 1 || !isObject(conditions[0])) return false
    return conditions[0]['key'] === 'room_id' && conditions[0]['pattern'] === roomId
  })
  if (override && silences(override)) return 'none'
  const room = rulesOf(rules, 'room').find(rule => rule['rule_id'] === roomId)
  return room && silences(room) ? 'mentions' : 'all'
}

function rulesOf(rules: JsonObject, kind: string): JsonObject[] {
  const global = memberOf(rules, 'global')
  const list = isObject(global) ? memberOf(global, kind) : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}

function matches(
  kind: (typeof kinds)[number],
  rule: JsonObject,
  event: JudgedEvent,
  view: PushView,
): boolean {
  switch (kind) {
    case 'override':
    case 'underride': {
      const conditions = rule['conditions'] ?? []
      return (
        Array.isArray(conditions) &&
        conditions.every(condition => isObject(condition) && holds(condition, event, view))
      )
    }
    case 'content':
      return (
        typeof rule['pattern'] === 'string' &&
        globMatches(rule['pattern'], textAt(event, 'content.body'), true)
      )
    case 'room':
      return rule['rule_id'] === event.roomId
    case 'sender':
      return rule['rule_id'] === event.sender
    default:
      return kind satisfies never
  }
}

function holds(condition: JsonObject, event: JudgedEvent, view: PushView): boolean {
  const { kind, key, pattern, value } = condition
  switch (kind) {
    case 'event_match':
      return (
        typeof key === 'string' &&
        typeof pattern === 'string' &&
        globMatches(pattern, textAt(event, key), key === 'content.body')
      )
    case 'event_property_is':
      return typeof key === 'string' && valueAt(event, key) === value
    case 'event_property_contains': {
      const list = typeof key === 'string' ? valueAt(event, key) : undefined
      return Array.isArray(list) && list.includes(value as Json)
    }
    case 'contains_display_name':
      return view.ourName !== null && globMatches(view.ourName, textAt(event, 'content.body'), true, false)
    case 'room_member_count':
      return compare(view.joinedCount, condition['is'])
    case 'sender_notification_permission':
      return key === 'room' && view.power(event.sender) >= view.roomNotificationPower
    default:
      return false
  }
}

/** `content.m\.mentions.user_ids`: a dot that belongs to a name has a backslash before it. */
function valueAt(event: JudgedEvent, key: string): Json | undefined {
  const names = key.match(/(?:\\.|[^.\\])+/g)?.map(name => name.replace(/\\([.\\])/g, '$1')) ?? []
  let value: Json | undefined = {
    type: event.type,
    sender: event.sender,
    room_id: event.roomId,
    ...(event.stateKey !== null && { state_key: event.stateKey }),
    content: event.content,
  }
  for (const name of names) value = isObject(value) ? memberOf(value, name) : undefined
  return value
}

function textAt(event: JudgedEvent, key: string): string | null {
  const value = valueAt(event, key)
  return typeof value === 'string' ? value : null
}

function globMatches(pattern: string, text: string | null, asWord: boolean, isGlob = true): boolean {
  if (text === null) return false
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  const body = isGlob
    ? escaped.replaceAll('*', '[\\s\\S]*?').replaceAll('?', '[\\s\\S]')
    : escaped.replace(/[*?]/g, '\\$&')
  // Spec: content.body is matched word by word; everything else whole.
  const expression = asWord ? `(?:^|[^\\p{L}\\p{N}_])${body}(?:$|[^\\p{L}\\p{N}_])` : `^${body}$`
  return new RegExp(expression, 'iu').test(text.slice(0, 20_000))
}

function compare(count: number, is: Json | undefined): boolean {
  const found = typeof is === 'string' ? /^(==|<=|>=|<|>)?(\d+)$/.exec(is) : null
  if (!found) return false
  const limit = Number(found[2])
  switch (found[1]) {
    case '<':
      return count < limit
    case '>':
      return count > limit
    case '<=':
      return count <= limit
    case '>=':
      return count >= limit
    default:
      return count === limit
  }
}

function verdictOf(actions: Json | undefined): PushVerdict {
  if (!Array.isArray(actions)) return nothing
  const tweak = (name: string) => actions.find(action => isObject(action) && action['set_tweak'] === name)
  const highlight = tweak('highlight')
  return {
    notify: actions.includes('notify') || actions.includes('coalesce'),
    highlight: isObject(highlight) && highlight['value'] !== false,
    sound: tweak('sound') !== undefined,
  }
}
