/**
 * Push rules as five switches. Pure.
 *
 * Spec: client-server-api#predefined-rules. Encrypted rooms have rules of their own, which follow those of plain ones: nobody
 * thinks of the two as different.
 */
import type { JsonObject } from '#protocol/json.ts'
import { rulesOf } from '../trust/room-rules.ts'

export const subjects = ['direct', 'rooms', 'mention', 'roomMention', 'invite'] as const
export type Subject = (typeof subjects)[number]

export interface RuleChange {
  readonly kind: string
  readonly ruleId: string
  readonly enabled?: boolean
  readonly actions?: readonly JsonObject[] | readonly string[]
}

interface Rule {
  readonly kind: string
  readonly ruleId: string
  /** What the specification has it do. */
  readonly actions: readonly (string | JsonObject)[]
}

const sound = { set_tweak: 'sound', value: 'default' }
const highlight = { set_tweak: 'highlight' }
const rules: Record<Subject, readonly Rule[]> = {
  direct: [
    { kind: 'underride', ruleId: '.m.rule.room_one_to_one', actions: ['notify', sound] },
    { kind: 'underride', ruleId: '.m.rule.encrypted_room_one_to_one', actions: ['notify', sound] },
  ],
  rooms: [
    { kind: 'underride', ruleId: '.m.rule.message', actions: ['notify'] },
    { kind: 'underride', ruleId: '.m.rule.encrypted', actions: ['notify'] },
  ],
  mention: [{ kind: 'override', ruleId: '.m.rule.is_user_mention', actions: ['notify', sound, highlight] }],
  roomMention: [{ kind: 'override', ruleId: '.m.rule.is_room_mention', actions: ['notify', highlight] }],
  invite: [{ kind: 'override', ruleId: '.m.rule.invite_for_me', actions: ['notify', sound] }],
}

const master = { kind: 'override', ruleId: '.m.rule.master' }

/** `.m.rule.master` in force takes everything. */
export function isSilent(pushRules: JsonObject): boolean {
  return ruleIn(pushRules, master)?.['enabled'] === true
}

/** On where one of its rules notifies; without the rule, as the specification has it. */
export function isOn(pushRules: JsonObject, subject: Subject): boolean {
  return rules[subject].some(rule => {
    const found = ruleIn(pushRules, rule)
    if (!found) return true
    return (
      found['enabled'] !== false && Array.isArray(found['actions']) && found['actions'].includes('notify')
    )
  })
}

/** Off: the rule stays and does nothing, so that no weaker rule speaks in its place. */
export function changesFor(subject: Subject, on: boolean): RuleChange[] {
  return rules[subject].map(({ kind, ruleId, actions }) => ({
    kind,
    ruleId,
    enabled: true,
    actions: (on ? actions : []) as readonly JsonObject[],
  }))
}

export function silence(on: boolean): RuleChange {
  return { ...master, enabled: on }
}

function ruleIn(pushRules: JsonObject, { kind, ruleId }: { kind: string; ruleId: string }) {
  return rulesOf(pushRules, kind).find(rule => rule['rule_id'] === ruleId)
}
