/**
 * Sends what waits: one loop for each peer, one transaction after the other, so that order holds.
 *
 * A transaction that was not answered is sent again as it is, under the same id, until it is answered; only then its
 * items leave the queue. A peer that cannot be reached is tried again after a while that grows, with jitter, and at
 * once when it speaks to us. Nothing unsigned leaves: events are signed as they go (`rooms.signed`).
 *
 * Spec: server-server-api#transactions
 */
import type { OutboundBatch, OutboundQueue, OutboundStatus } from '../peers/outbound.ts'
import type { Peers } from '../peers/peer.ts'
import type { Pdu } from '../protocol/event.ts'
import type { EventId, RoomId, ServerName } from '../protocol/ids.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { maxEdus, maxPdus, type OutgoingTransaction } from './send-transaction.ts'

export interface SenderDeps {
  readonly queue: OutboundQueue
  readonly peers: Pick<Peers, 'all' | 'maySendTo' | 'onChange' | 'get'>
  /** null: not here any more, or damaged. */
  readonly signed: (eventId: EventId) => Promise<Pdu | null>
  /** May this event go out now (frozen rooms stand still)? */
  readonly maySend: (roomId: RoomId, eventId: EventId) => Promise<boolean>
  readonly send: (
    destination: ServerName,
    transaction: OutgoingTransaction,
  ) => Promise<ReadonlyMap<string, string>>
  readonly clock: () => number
  /** Between 0 and 1. */
  readonly random: () => number
  /** Resolves after so long, or when the signal says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Server names and codes only. */
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

export interface Sender {
  status(destination: ServerName): Promise<OutboundStatus>
  /** The peer was heard: it is there, whatever the last attempt said. */
  heard(destination: ServerName): void
  close(): Promise<void>
}

const firstPauseMs = 1_000
const longestPauseMs = 10 * 60_000
/** No answer will be another one for these: the transaction itself is refused. */
const refusesWhole = new Set([400, 413])

export function openSender(deps: SenderDeps): Sender {
  const lines = new Map<ServerName, Line>()
  let isClosed = false
  const lineTo = (destination: ServerName): Line => {
    const line = lines.get(destination) ?? new Line(destination, deps)
    lines.set(destination, line)
    return line
  }
  const wake = (destination: ServerName) => {
    if (!isClosed && deps.peers.maySendTo(destination)) lineTo(destination).wake()
  }
  deps.queue.onItem(wake)
  deps.peers.onChange(destination => {
    if (!deps.peers.maySendTo(destination)) lines.get(destination)?.stop()
    if (!deps.peers.get(destination)) void deps.queue.clear(destination).catch(() => {})
    else {
      wake(destination)
      // What stood in the way may be what changed: its address, or its certificate.
      lines.get(destination)?.tryAgain()
    }
  })
  for (const { serverName } of deps.peers.all()) wake(serverName)
  return {
    async status(destination) {
      return { ...(await deps.queue.waiting(destination)), ...lines.get(destination)?.trouble }
    },
    heard: destination => lines.get(destination)?.tryAgain(),
    async close() {
      isClosed = true
      await Promise.all([...lines.values()].map(line => line.stop()))
    },
  }
}

/** To one peer. */
class Line {
  readonly #destination: ServerName
  readonly #deps: SenderDeps
  #running: Promise<void> | null = null
  #isWanted = false
  #isStopped = false
  #pause: AbortController | null = null
  #failures = 0
  #count = 0
  trouble: Pick<OutboundStatus, 'lastError' | 'nextTryTs'> = {}

  constructor(destination: ServerName, deps: SenderDeps) {
    this.#destination = destination
    this.#deps = deps
  }

  wake(): void {
    this.#isWanted = true
    this.#isStopped = false
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#isWanted && !this.#isStopped) this.wake()
    })
  }

  /** Ends the pause, if there is one. */
  tryAgain(): void {
    this.#pause?.abort()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#isWanted = false
    this.#pause?.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    let pdus = maxPdus
    let edus = maxEdus
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false
      const batch = await this.#deps.queue.take(this.#destination, pdus, edus).catch(() => null)
      if (!batch) return
      this.#isWanted = true
      const transaction = await this.#transactionOf(batch)
      const result = await this.#deliver(transaction)
      if (result === 'stopped') return
      if (result === 'too-much' && batch.pdus.length + batch.edus.length > 1) {
        // One item that this peer refuses must not hold up the others: halves find it.
        pdus = Math.max(1, Math.floor(batch.pdus.length / 2))
        edus = batch.pdus.length > 0 ? 0 : Math.max(1, Math.floor(batch.edus.length / 2))
        continue
      }
      if (result === 'too-much') {
        this.#deps.report('a peer refuses an item for good: it was dropped', { peer: this.#destination })
      }
      await this.#deps.queue.done(batch).catch(() => {})
      pdus = maxPdus
      edus = maxEdus
    }
  }

  /** Until it is answered, or we are told to stop. */
  async #deliver(transaction: OutgoingTransaction): Promise<'done' | 'too-much' | 'stopped'> {
    const { send, peers, clock, random, pause, report } = this.#deps
    if (transaction.pdus.length + transaction.edus.length === 0) return 'done'
    for (;;) {
      if (this.#isStopped || !peers.maySendTo(this.#destination)) return 'stopped'
      try {
        const refused = await send(this.#destination, transaction)
        if (refused.size > 0) {
          report('a peer did not take some events', { peer: this.#destination, count: String(refused.size) })
        }
        this.#failures = 0
        this.trouble = {}
        return 'done'
      } catch (error) {
        if (error instanceof RemoteError && refusesWhole.has(error.status ?? 0)) return 'too-much'
        const grown = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures++, 20))
        const waitMs = grown * (0.5 + random() / 2)
        this.trouble = { lastError: sentenceOf(error), nextTryTs: clock() + waitMs }
        this.#pause = new AbortController()
        await pause(waitMs, this.#pause.signal)
        this.#pause = null
      }
    }
  }

  /** Events that are gone, damaged, or of a room that stands still are left out. */
  async #transactionOf(batch: OutboundBatch): Promise<OutgoingTransaction> {
    const { signed, maySend, clock } = this.#deps
    const pdus = await Promise.all(
      batch.pdus.map(async ({ roomId, eventId }) => {
        if (!(await maySend(roomId, eventId))) return null
        try {
          return await signed(eventId)
        } catch {
          this.#deps.report('an event is damaged and was not sent', { peer: this.#destination })
          return null
        }
      }),
    )
    const now = clock()
    return {
      txnId: `${now.toString(36)}-${(this.#count++).toString(36)}`,
      originServerTs: now,
      pdus: pdus.filter(pdu => pdu !== null),
      edus: batch.edus,
    }
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof RemoteError)) return 'the transaction could not be sent'
  if (error.kind !== 'refused') return error.message
  return `the peer answered ${error.status ?? ''} ${error.errcode ?? ''}`.trim()
}
