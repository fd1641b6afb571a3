/**
 * One step of a room's transaction: an event, its place, and what it changes.
 */
import type { EventId } from '../protocol/ids.ts'
import { serverOf } from '../protocol/ids.ts'
import type { Position } from '../store/store.ts'
import type { EventTexts } from './event-rows.ts'
import type { EventSource } from './projection.ts'
import type { StateChain } from './state-chain.ts'
import type { StateChange } from './state-layer.ts'
import type { StoredEvent } from './stored-event.ts'

/** The room's current state after a step. */
export type CurrentState =
  /** The state after the event: all other changes are in it already. */
  | { readonly kind: 'after-event'; readonly changes: readonly StateChange[] }
  /** What resolution made of several states: the current one with these changes. */
  | { readonly kind: 'resolved'; readonly changes: readonly StateChange[] }
  | { readonly kind: 'unchanged' }

export interface Step extends EventTexts {
  readonly event: StoredEvent
  readonly place: 'live' | 'backfilled' | 'hidden'
  /** Of a backfilled event: where in the timeline it goes. */
  readonly order?: number | undefined
  /** The state before the event: the tip's own, or one found elsewhere with changes that have no snapshot yet. */
  readonly before: 'tip' | 'none' | { readonly chain: StateChain; readonly changes: readonly StateChange[] }
  readonly current: CurrentState
  /** The forward extremities after it, newest first. */
  readonly forward: readonly StoredEvent[]
  /** A redaction that is carried out, and what it redacts. */
  readonly redacted?: StoredEvent | undefined
  /** A redaction whose target is not here. */
  readonly waitsFor?: EventId | undefined
  /** Redactions of it that came before it. */
  readonly redactedAlready?: readonly StoredEvent[]
  /** It was known as an outlier, at this position. */
  readonly movedFrom?: Position | undefined
  readonly missingPrevEvents?: readonly EventId[] | undefined
  /** It was itself missing: others refer to it. */
  readonly closesGap?: boolean | undefined
  /** Where the event itself does not tell it. */
  readonly source?: EventSource | undefined
}

/** Is there anything for readers to see? */
export function isNews({ event, place, current }: Step): boolean {
  return (place === 'live' && event.isShown) || current.kind !== 'unchanged'
}

/** What was made here has no signature of its own server: that is made on its way out. */
export function sourceOf({ event: { facts, sender }, source }: Step): EventSource {
  if (source) return source
  return facts.ourKey !== undefined && facts.signatures?.[serverOf(sender)] === undefined
    ? 'here'
    : 'elsewhere'
}

/** Does it stand elsewhere than on the tip, or change the current state by more than itself? */
export function bendsTheLine({ before, current }: Step): boolean {
  const standsElsewhere = before !== 'tip' && before !== 'none'
  return standsElsewhere || (current.kind === 'resolved' && current.changes.length > 0)
}
