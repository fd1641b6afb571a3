/**
 * The three authorisation checks that an event from another server goes through, and what comes of them.
 *
 * Spec: server-server-api#checks-performed-on-receipt-of-a-pdu (4–6)
 */
import type { Verdict } from './verdict.ts'

/** Each check is made only if those before it passed: a later state may be costly to find. */
export type ReceiptChecks = {
  /** The list of auth events, and the event against the state that they make. */
  readonly byAuthEvents: () => Verdict
  readonly byStateBefore: () => Verdict
  /** Against the resolved state of all forward extremities. */
  readonly byCurrentState: () => Verdict
}

export function judgeOnReceipt(checks: ReceiptChecks): Verdict {
  for (const check of [checks.byAuthEvents, checks.byStateBefore]) {
    const verdict = check()
    if (verdict.kind !== 'accept') return verdict
  }
  // Spec: server-server-api#soft-failure. It would be rejected had it not been sent from an older state.
  const now = checks.byCurrentState()
  return now.kind === 'reject' ? { kind: 'soft-fail', rule: now.rule } : now
}
