/**
 * The queue of what goes to each peer: durable, in order, one writer and one taker a peer.
 *
 * An item is written in the batch that makes it true, so that nothing that a client was told is sent can be missing here
 * after a crash. It goes when the peer has confirmed it; a crash in between sends it again, which harms nobody: events
 * are known by their ids, messages between devices by their message ids, and of device lists the last counts.
 */
import type { ServerName } from '../protocol/ids.ts'
import { outboundLatestTable, outboundTable } from '../store/catalogue.ts'
import type { Key } from '../store/key.ts'
import type { RowWriter, Store, View } from '../store/store.ts'
import type { Edu, OutboundBatch, OutboundItem, OutboundLength, OutboundQueue } from './outbound.ts'
import type { Peers } from './peer.ts'

export interface OutboundQueueDeps {
  readonly store: Store
  readonly peers: Pick<Peers, 'all' | 'maySendTo'>
  readonly clock: () => number
}

const toDeviceLane = 0
const pduLane = 1
const page = 1_000
/** Typing and presence of many people to a peer that does not take them. */
const maxEphemeral = 1_000

/** What a batch was made of: what goes when it is done. */
interface Taken {
  readonly keys: readonly Key<unknown>[]
  readonly latest: readonly { readonly key: Key<unknown>; readonly number: number }[]
}

export async function openOutboundQueue(deps: OutboundQueueDeps): Promise<OutboundQueue> {
  const queue = new Queue(deps)
  await queue.open()
  return queue
}

class Queue implements OutboundQueue {
  readonly #store: Store
  readonly #peers: OutboundQueueDeps['peers']
  readonly #clock: () => number
  /** Larger than that of any item that waits: the order in which transactions are sequenced. */
  #last = 0
  readonly #ephemeral = new Map<ServerName, Map<string, Edu>>()
  /** By row: the number of the last word, durable or not, while it may not be taken away. */
  readonly #lastWords = new Map<Key<unknown>, number>()
  readonly #taken = new WeakMap<OutboundBatch, Taken>()
  /** Where the last batch of last words ended: the next goes on from there, or names early in the alphabet keep all others waiting. */
  readonly #latestAfter = new Map<ServerName, Key<unknown>>()
  readonly #listeners: ((destination: ServerName) => void)[] = []

  constructor({ store, peers, clock }: OutboundQueueDeps) {
    this.#store = store
    this.#peers = peers
    this.#clock = clock
    // What was written last may be gone: then the row that is there is sent once more.
    store.onReset(() => this.#lastWords.clear())
    store.onDurable(({ topics }) => {
      for (const topic of topics) if (topic.startsWith('peer:')) this.#tell(topic.slice(5) as ServerName)
    })
  }

  async open(): Promise<void> {
    await this.#store.read(async view => {
      for (const { serverName } of this.#peers.all()) {
        for (const lane of [toDeviceLane, pduLane]) {
          const [newest] = await view.range(outboundTable.under(serverName, lane), {
            reverse: true,
            limit: 1,
          })
          if (newest) this.#last = Math.max(this.#last, newest.parts[2])
        }
        const latest = await view.range(outboundLatestTable.under(serverName))
        for (const { value } of latest) this.#last = Math.max(this.#last, value.number)
      }
    })
  }

  put(rows: RowWriter, destination: ServerName, item: OutboundItem): void {
    if (!this.#peers.maySendTo(destination)) return
    const number = ++this.#last
    const ts = this.#clock()
    switch (item.kind) {
      case 'pdu':
        rows.put(outboundTable.key(destination, pduLane, number), {
          ts,
          roomId: item.roomId,
          eventId: item.eventId,
        })
        break
      case 'to-device':
        rows.put(outboundTable.key(destination, toDeviceLane, number), { ts, edu: item.edu })
        break
      case 'latest':
        this.#lastWords.set(outboundLatestTable.key(destination, item.key), number)
        rows.put(outboundLatestTable.key(destination, item.key), { ts, number, edu: item.edu })
    }
    rows.announce(`peer:${destination}`)
  }

  ephemeral(destination: ServerName, key: string, edu: Edu): void {
    if (!this.#peers.maySendTo(destination)) return
    const waiting = this.#ephemeral.get(destination) ?? new Map<string, Edu>()
    this.#ephemeral.set(destination, waiting)
    waiting.delete(key)
    if (waiting.size >= maxEphemeral) waiting.clear()
    waiting.set(key, edu)
    this.#tell(destination)
  }

  async take(destination: ServerName, maxPdus: number, maxEdus: number): Promise<OutboundBatch | null> {
    const { pdus, toDevice, latest } = await this.#store.read(async view => {
      const toDevice = await view.range(outboundTable.under(destination, toDeviceLane), { limit: maxEdus })
      const room = maxEdus - toDevice.length
      return {
        pdus: await view.range(outboundTable.under(destination, pduLane), { limit: maxPdus }),
        toDevice,
        latest: await this.#nextLatest(view, destination, room),
      }
    })
    const rest = maxEdus - toDevice.length - latest.length
    const passing = this.#takeEphemeral(destination, rest)
    const batch: OutboundBatch = {
      destination,
      pdus: pdus.flatMap(({ value }) => ('eventId' in value ? [value] : [])),
      edus: [
        ...toDevice.flatMap(({ value }) => ('edu' in value ? [value.edu] : [])),
        ...latest.map(({ value }) => value.edu),
        ...passing,
      ],
    }
    if (batch.pdus.length + batch.edus.length === 0) return null
    this.#taken.set(batch, {
      keys: [...pdus, ...toDevice].map(({ key }) => key),
      latest: latest.map(({ key, value }) => ({ key, number: value.number })),
    })
    return batch
  }

  async done(batch: OutboundBatch): Promise<void> {
    const taken = this.#taken.get(batch)
    if (!taken || taken.keys.length + taken.latest.length === 0) return
    const { destination } = batch
    await this.#store.transact(ownerOf(destination), tx => {
      for (const key of taken.keys) tx.delete(key)
      tx.sequence((_next, rows) => {
        const lastKey = taken.latest.at(-1)?.key
        if (lastKey !== undefined) this.#latestAfter.set(destination, lastKey)
        for (const { key, number } of taken.latest) {
          // A newer word that came meanwhile stays, durable or not.
          if ((this.#lastWords.get(key) ?? number) !== number) continue
          this.#lastWords.delete(key)
          rows.delete(key)
        }
      })
    })
  }

  async waiting(destination: ServerName): Promise<OutboundLength> {
    return this.#store.read(async view => {
      let length = 0
      let oldestTs: number | undefined
      const count = (rows: readonly { readonly value: { readonly ts: number } }[]) => {
        length += rows.length
        for (const { value } of rows) oldestTs = Math.min(oldestTs ?? value.ts, value.ts)
      }
      for (const lane of [toDeviceLane, pduLane]) {
        for (let after: string | undefined; ; ) {
          const rows = await view.range(outboundTable.under(destination, lane), {
            limit: page,
            ...(after === undefined ? {} : { after }),
          })
          count(rows)
          if (rows.length < page) break
          after = rows.at(-1)!.key
        }
      }
      count(await view.range(outboundLatestTable.under(destination)))
      return { length, ...(oldestTs === undefined ? {} : { oldestTs }) }
    })
  }

  async clear(destination: ServerName): Promise<void> {
    this.#ephemeral.delete(destination)
    this.#latestAfter.delete(destination)
    for (;;) {
      const removed = await this.#store.transact(ownerOf(destination), async tx => {
        const rows = [
          ...(await tx.range(outboundTable.under(destination), { limit: page })),
          ...(await tx.range(outboundLatestTable.under(destination), { limit: page })),
        ]
        for (const { key } of rows) tx.delete(key)
        return rows.length
      })
      if (removed === 0) return
    }
  }

  onItem(listener: (destination: ServerName) => void): void {
    this.#listeners.push(listener)
  }

  /** In a circle. The same until a batch is done. */
  async #nextLatest(view: View, destination: ServerName, limit: number) {
    if (limit <= 0) return []
    const lane = outboundLatestTable.under(destination)
    const after = this.#latestAfter.get(destination)
    if (after === undefined) return view.range(lane, { limit })
    const rows = await view.range(lane, { limit, after })
    if (rows.length === limit) return rows
    return [...rows, ...(await view.range(lane, { limit: limit - rows.length, before: `${after}\x00` }))]
  }

  #takeEphemeral(destination: ServerName, limit: number): Edu[] {
    const waiting = this.#ephemeral.get(destination)
    if (!waiting) return []
    const edus: Edu[] = []
    for (const [key, edu] of waiting) {
      if (edus.length >= limit) break
      edus.push(edu)
      waiting.delete(key)
    }
    return edus
  }

  #tell(destination: ServerName): void {
    for (const listener of this.#listeners) listener(destination)
  }
}

/** Items are put by whoever makes them true; only what takes them away is serialised here. */
function ownerOf(destination: ServerName): string {
  return `outbound ${destination}`
}
