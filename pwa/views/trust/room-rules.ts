/** What a room's rules mean, as keys of the catalogue. Pure. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { Key } from '../../i18n/i18n.ts'

/** Spec: client-server-api#mroomjoin_rules. What is not known lets nobody in but the invited. */
export function joinRuleKey(rule: string): Key {
  switch (rule) {
    case 'public':
      return 'trust.joinPublic'
    case 'knock':
      return 'trust.joinKnock'
    case 'restricted':
      return 'trust.joinRestricted'
    case 'knock_restricted':
      return 'trust.joinKnockRestricted'
    default:
      return 'trust.joinInvite'
  }
}

/** Spec: client-server-api#room-history-visibility. Absent or unknown: shared. */
export function historyKey(visibility: string): Key {
  switch (visibility) {
    case 'joined':
      return 'trust.historyJoined'
    case 'invited':
      return 'trust.historyInvited'
    case 'world_readable':
      return 'trust.historyWorld'
    default:
      return 'trust.historyShared'
  }
}

export type NotifyLevel = 'all' | 'mentions' | 'none'

/**
 * How a room notifies, from the push rules. Spec: client-server-api#push-rules: a room rule that does not notify leaves mentions,
 * for they are overrides; an override of ours for the room alone takes those as well.
 */
export function notifyLevel(pushRules: JsonObject, roomId: string): NotifyLevel {
  const silences = (kind: string) =>
    rulesOf(pushRules, kind).some(
      rule =>
        rule['rule_id'] === roomId &&
        rule['enabled'] !== false &&
        Array.isArray(rule['actions']) &&
        !rule['actions'].includes('notify'),
    )
  if (silences('override')) return 'none'
  return silences('room') ? 'mentions' : 'all'
}

/** `global` around it, as the server answers, or without. */
export function rulesOf(pushRules: JsonObject, kind: string): readonly JsonObject[] {
  const set = isObject(pushRules['global']) ? pushRules['global'] : pushRules
  const rules = set[kind]
  return Array.isArray(rules) ? rules.filter(isObject) : []
}
