/**
 * Push rules: their shape, the server's default set, and how a person's changes are laid over it.
 *
 * Only what a person changed is stored (`PushChanges`); the ruleset is computed, so that a release which
 * changes a default rule reaches everyone who did not decide otherwise. Pure.
 * Spec: client-server-api#push-rules, #predefined-rules.
 */
import type { UserId } from '../protocol/ids.ts'
import type { Json, JsonObject } from '../protocol/json.ts'

export const ruleKinds = ['override', 'content', 'room', 'sender', 'underride'] as const
export type RuleKind = (typeof ruleKinds)[number]

export type PushAction = string | JsonObject
export type PushCondition = JsonObject & { readonly kind: string }

export interface PushRule {
  readonly rule_id: string
  readonly default: boolean
  readonly enabled: boolean
  readonly actions: readonly PushAction[]
  /** `override` and `underride` only. */
  readonly conditions?: readonly PushCondition[]
  /** `content` only. */
  readonly pattern?: string
}

export type Ruleset = { readonly [K in RuleKind]: readonly PushRule[] }

/** What one person changed. */
export interface PushChanges {
  /** The person's own rules, the most important first. */
  readonly own: { readonly [K in RuleKind]?: readonly PushRule[] }
  /** Changes to default rules, by `kind/ruleId`. */
  readonly defaults: { readonly [kindAndId: string]: DefaultChange }
}

export interface DefaultChange {
  readonly enabled?: boolean
  readonly actions?: readonly PushAction[]
}

export const noChanges: PushChanges = { own: {}, defaults: {} }

const sound = (value: string): PushAction => ({ set_tweak: 'sound', value })
const highlight: PushAction = { set_tweak: 'highlight' }
const match = (key: string, pattern: string): PushCondition => ({ kind: 'event_match', key, pattern })
const twoMembers: PushCondition = { kind: 'room_member_count', is: '2' }

/** Spec: client-server-api#predefined-rules, in the spec's order, which is their priority. */
export function defaultRules(userId: UserId): Ruleset {
  return {
    override: [
      { ...rule('.m.rule.master', [], []), enabled: false },
      rule('.m.rule.suppress_notices', [match('content.msgtype', 'm.notice')], []),
      rule(
        '.m.rule.invite_for_me',
        [match('type', 'm.room.member'), match('content.membership', 'invite'), match('state_key', userId)],
        ['notify', sound('default')],
      ),
      rule('.m.rule.member_event', [match('type', 'm.room.member')], []),
      rule(
        '.m.rule.is_user_mention',
        [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
        ['notify', sound('default'), highlight],
      ),
      rule(
        '.m.rule.is_room_mention',
        [
          { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true },
          { kind: 'sender_notification_permission', key: 'room' },
        ],
        ['notify', highlight],
      ),
      rule(
        '.m.rule.tombstone',
        [match('type', 'm.room.tombstone'), match('state_key', '')],
        ['notify', highlight],
      ),
      rule('.m.rule.reaction', [match('type', 'm.reaction')], []),
      rule('.m.rule.room.server_acl', [match('type', 'm.room.server_acl'), match('state_key', '')], []),
      rule(
        '.m.rule.suppress_edits',
        [{ kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' }],
        [],
      ),
    ],
    content: [],
    room: [],
    sender: [],
    underride: [
      rule('.m.rule.call', [match('type', 'm.call.invite')], ['notify', sound('ring')]),
      rule(
        '.m.rule.encrypted_room_one_to_one',
        [twoMembers, match('type', 'm.room.encrypted')],
        ['notify', sound('default')],
      ),
      rule(
        '.m.rule.room_one_to_one',
        [twoMembers, match('type', 'm.room.message')],
        ['notify', sound('default')],
      ),
      rule('.m.rule.message', [match('type', 'm.room.message')], ['notify']),
      rule('.m.rule.encrypted', [match('type', 'm.room.encrypted')], ['notify']),
    ],
  }
}

/** The rules in force: the person's own before the defaults of their kind, `.m.rule.master` before all. */
export function rulesetOf(userId: UserId, changes: PushChanges): Ruleset {
  const defaults = defaultRules(userId)
  const merged = {} as Record<RuleKind, readonly PushRule[]>
  for (const kind of ruleKinds) {
    const ours = defaults[kind].map(each => ({ ...each, ...changes.defaults[`${kind}/${each.rule_id}`] }))
    const master = ours.filter(each => each.rule_id === '.m.rule.master')
    const others = ours.filter(each => each.rule_id !== '.m.rule.master')
    merged[kind] = [...master, ...(changes.own[kind] ?? []), ...others]
  }
  return merged
}

function rule(
  rule_id: string,
  conditions: readonly PushCondition[],
  actions: readonly PushAction[],
): PushRule {
  return { rule_id, default: true, enabled: true, conditions, actions }
}

/** Where a new or changed rule of a person goes. */
export interface Placement {
  readonly before?: string
  readonly after?: string
}

export type PlaceResult =
  | { readonly kind: 'placed'; readonly changes: PushChanges }
  | { readonly kind: 'no-such-neighbour'; readonly ruleId: string }

/** Spec: client-server-api#put_matrixclientv3pushrulesglobalkindruleid (before, after, enabled by default). */
export function placeRule(
  changes: PushChanges,
  kind: RuleKind,
  fresh: Omit<PushRule, 'default' | 'enabled'>,
  { before, after }: Placement,
): PlaceResult {
  const rules = changes.own[kind] ?? []
  const old = rules.findIndex(each => each.rule_id === fresh.rule_id)
  const written: PushRule = { ...fresh, default: false, enabled: old < 0 ? true : rules[old]!.enabled }
  const rest = rules.filter(each => each.rule_id !== fresh.rule_id)
  // With both, the rule is the next most important with respect to `before`.
  const neighbour = before ?? after
  let at = Math.max(old, 0)
  if (neighbour !== undefined) {
    const index = rest.findIndex(each => each.rule_id === neighbour)
    if (index < 0) return { kind: 'no-such-neighbour', ruleId: neighbour }
    at = before !== undefined ? index : index + 1
  }
  return { kind: 'placed', changes: withOwn(changes, kind, rest.toSpliced(at, 0, written)) }
}

/** null: there is no such rule of this person. */
export function removeRule(changes: PushChanges, kind: RuleKind, ruleId: string): PushChanges | null {
  const rules = changes.own[kind] ?? []
  const rest = rules.filter(each => each.rule_id !== ruleId)
  return rest.length === rules.length ? null : withOwn(changes, kind, rest)
}

/** Enables, disables or gives other actions to a rule, a default one too. null: there is no such rule. */
export function changeRule(
  userId: UserId,
  changes: PushChanges,
  kind: RuleKind,
  ruleId: string,
  change: DefaultChange,
): PushChanges | null {
  if (defaultRules(userId)[kind].some(each => each.rule_id === ruleId)) {
    const name = `${kind}/${ruleId}`
    const merged = { ...changes.defaults[name], ...change }
    return { ...changes, defaults: { ...changes.defaults, [name]: merged } }
  }
  const rules = changes.own[kind] ?? []
  const index = rules.findIndex(each => each.rule_id === ruleId)
  return index < 0 ? null : withOwn(changes, kind, rules.with(index, { ...rules[index]!, ...change }))
}

function withOwn(changes: PushChanges, kind: RuleKind, rules: readonly PushRule[]): PushChanges {
  return { ...changes, own: { ...changes.own, [kind]: rules } }
}

/**
 * Spec: client-server-api#historical-actions: they do nothing. A rule keeps them, so that the client which wrote it
 * finds it as it was.
 */
export function isHistoricalAction(action: Json): boolean {
  return action === 'dont_notify' || action === 'coalesce'
}
