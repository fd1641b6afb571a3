/**
 * What a rule says about an event, with the rule's name, so that a log line or a refusal can be held against the
 * specification of the room's own version.
 */
import type { RoomRules } from '../protocol/room-versions.ts'

export type Verdict =
  | { readonly kind: 'accept' }
  /** Part of the graph and of state resolution, but shown to nobody and built on by nobody. */
  | { readonly kind: 'soft-fail'; readonly rule: string }
  /** Not part of any state, and shown to nobody. */
  | { readonly kind: 'reject'; readonly rule: string }

export const accept: Verdict = { kind: 'accept' }

/** Rejects by an authorisation rule, given by its number in room version 12. */
export function reject(rules: RoomRules, numberInVersion12: string, sentence: string): Verdict {
  const number = authRuleNumber(numberInVersion12, rules)
  return { kind: 'reject', rule: `rooms/v${rules.version}#authorization-rules (${number}): ${sentence}` }
}

/** Rules 2 and 10.4 came with version 12: what stands behind them has a lower number in earlier versions. */
function authRuleNumber(numberInVersion12: string, rules: RoomRules): string {
  const [rule, ...below] = numberInVersion12.split('.').map(Number) as [number, ...number[]]
  if (rule === 10 && below[0]! > 4 && !rules.creatorsHaveInfinitePower) below[0]!--
  const shift = rule > 2 && !rules.roomIdIsCreateEventHash ? 1 : 0
  return [rule - shift, ...below].join('.')
}
