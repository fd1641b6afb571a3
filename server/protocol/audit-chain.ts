/**
 * The audit chain: a record of administrative acts in which every entry carries the hash of the one before.
 *
 * Whoever holds an export can show that an entry was removed, changed or moved: `checkAuditChain` walks the
 * chain. The chain has no key: who can rewrite the whole store can rewrite it all, and cut its end. So an
 * export that was kept elsewhere is compared with `checkAuditContinues`.
 *
 * hash = base64url(SHA-256(canonical JSON of the entry without `hash`)). `previous` of the first is 43 × 'A'.
 */
import { encodeBase64Url } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import type { JsonObject } from './json.ts'
import type { Sha256 } from './primitives.ts'

export interface AuditEntry {
  /** 1, 2, 3 … without a gap. */
  readonly sequence: number
  /** Milliseconds since 1970. */
  readonly ts: number
  /** A user id, or `token`, `local`, `system`. */
  readonly actor: string
  /** What was done: `account.lock`, `enrolment-link.create` … */
  readonly action: string
  /** To whom or what. */
  readonly target?: string
  /** Never content, never a secret. */
  readonly detail?: JsonObject
  readonly previous: string
  readonly hash: string
}

export type AuditAct = Pick<AuditEntry, 'actor' | 'action' | 'target' | 'detail'>

export const auditChainStart = 'A'.repeat(43)

/** What an entry is chained to. */
export interface AuditTip {
  readonly sequence: number
  readonly hash: string
}

export const emptyAuditTip: AuditTip = { sequence: 0, hash: auditChainStart }

export function chainAuditEntry(tip: AuditTip, act: AuditAct, ts: number, sha256: Sha256): AuditEntry {
  const entry = {
    sequence: tip.sequence + 1,
    ts,
    actor: act.actor,
    action: act.action,
    ...(act.target === undefined ? {} : { target: act.target }),
    ...(act.detail === undefined ? {} : { detail: act.detail }),
    previous: tip.hash,
  }
  return { ...entry, hash: hashAuditEntry(entry, sha256) }
}

export type AuditVerdict =
  | { readonly kind: 'whole'; readonly entries: number; readonly tip: AuditTip }
  | { readonly kind: 'broken'; readonly sequence: number; readonly reason: string }

/** Feed it the entries in order, from the first; it answers at any time. */
export class AuditChecker {
  readonly #sha256: Sha256
  #tip: AuditTip = emptyAuditTip
  #broken: AuditVerdict | null = null

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  add(entry: AuditEntry): void {
    if (this.#broken) return
    const expected = this.#tip.sequence + 1
    if (entry.sequence !== expected) {
      const reason =
        entry.sequence > expected
          ? `entry ${expected} is missing; ${entry.sequence} follows ${expected - 1}`
          : `entry ${entry.sequence} stands where ${expected} belongs`
      this.#fail(expected, reason)
    } else if (entry.previous !== this.#tip.hash) {
      this.#fail(expected, `entry ${expected} does not continue entry ${expected - 1}`)
    } else if (!hashFits(entry, this.#sha256)) {
      this.#fail(expected, `entry ${expected} was changed: its hash does not fit`)
    } else {
      this.#tip = { sequence: entry.sequence, hash: entry.hash }
    }
  }

  verdict(): AuditVerdict {
    return this.#broken ?? { kind: 'whole', entries: this.#tip.sequence, tip: this.#tip }
  }

  #fail(sequence: number, reason: string): void {
    this.#broken = { kind: 'broken', sequence, reason }
  }
}

export function checkAuditChain(entries: Iterable<AuditEntry>, sha256: Sha256): AuditVerdict {
  const checker = new AuditChecker(sha256)
  for (const entry of entries) checker.add(entry)
  return checker.verdict()
}

/** Does `now` hold everything that the earlier export held, unchanged? Both were checked by themselves before. */
export function checkAuditContinues(
  earlier: readonly AuditEntry[],
  now: readonly AuditEntry[],
): AuditVerdict | null {
  const last = earlier.at(-1)
  if (!last) return null
  const same = now[last.sequence - 1]
  if (same?.hash === last.hash) return null
  return {
    kind: 'broken',
    sequence: last.sequence,
    reason: same
      ? `entry ${last.sequence} is another one than in the earlier export`
      : `the earlier export ends at entry ${last.sequence}; this one ends at ${now.length}`,
  }
}

export function parseAuditEntry(line: string): AuditEntry | null {
  let entry: Partial<AuditEntry>
  try {
    entry = JSON.parse(line) as Partial<AuditEntry>
  } catch {
    return null
  }
  if (typeof entry !== 'object' || entry === null) return null
  const whole =
    Number.isSafeInteger(entry.sequence) &&
    Number.isSafeInteger(entry.ts) &&
    typeof entry.actor === 'string' &&
    typeof entry.action === 'string' &&
    typeof entry.previous === 'string' &&
    typeof entry.hash === 'string'
  return whole ? (entry as AuditEntry) : null
}

function hashFits(entry: AuditEntry, sha256: Sha256): boolean {
  try {
    return hashAuditEntry(entry, sha256) === entry.hash
  } catch {
    // What has no canonical JSON was never written by us.
    return false
  }
}

function hashAuditEntry(entry: Omit<AuditEntry, 'hash'>, sha256: Sha256): string {
  const { hash: _, ...rest } = entry as AuditEntry
  return encodeBase64Url(sha256(canonicalJson(rest as unknown as JsonObject)))
}
