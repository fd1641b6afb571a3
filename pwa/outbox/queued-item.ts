/** A message of ours that waits, as a timeline shows it. Pure. */
import type { QueuedItem } from '../sync/ports.ts'
import type { StoredEvent } from '../sync/stored-event.ts'
import type { ItemProblem } from '../sync/timeline-item.ts'
import { shownContent, type Waiting } from './waiting.ts'

export function queuedItem(
  waiting: Waiting,
  userId: string,
  isSending: boolean,
  problem: ItemProblem | null,
): QueuedItem {
  const { txnId, eventId, redacts, failure, paused } = waiting
  return {
    txnId,
    eventId,
    redacts,
    event: eventOf(waiting, userId),
    state: eventId !== null ? 'sent' : failure ? 'failed' : isSending ? 'sending' : 'queued',
    problem: eventId !== null ? null : paused ? pausedProblem : problem,
  }
}

const pausedProblem: ItemProblem = { code: 'TRANSFER_PAUSED', message: '', blockedBy: [] }

function eventOf(waiting: Waiting, userId: string): StoredEvent {
  return {
    eventId: waiting.eventId ?? waiting.txnId,
    sender: userId,
    ts: waiting.ts,
    type: waiting.type,
    stateKey: null,
    content: shownContent(waiting),
    previousContent: null,
    txnId: waiting.txnId,
    redactedBecause: null,
    encrypted: waiting.forEncrypted && waiting.type !== 'm.reaction',
    shield: 'none',
    keyGivenBy: null,
    unreadable: null,
  }
}
