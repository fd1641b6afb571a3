/**
 * A room's timeline at rest: packs of events in the order in which the server tells them, fifty a record.
 *
 * Packs are numbered with room between them, so that what was left out by a limited sync can be put in its place later. A pack
 * that does not follow on the one before it says where to ask for what lies between (`gap`); the first says where to ask for what
 * is older. Nothing is ever shown across a gap.
 *
 *     pack 4096 ── pack 8192 ── gap ── pack 12288 ── pack 16384 (grows until it has fifty)
 */
import type { JsonObject } from '#protocol/json.ts'
import type { VaultRecords, VaultWrite } from '../vault/records.ts'
import type { StoredEvent } from './stored-event.ts'

export interface Pack {
  readonly number: number
  readonly events: readonly StoredEvent[]
  /** Where to ask for what lies before it; null: the pack before it follows on, or the room begins here. */
  readonly gap: string | null
  /** Of an island in the past: where to ask for what lies after it. Null: the pack after it follows on, or says `gap`. */
  readonly after: string | null
}

export const eventsPerPack = 50
/** Between two packs that follow on each other: as many can be put in between. */
const spacing = 4096
const firstNumber = spacing * 2 ** 30
const collection = 'timeline'

/** The packs of one room. Reads through to the records; what is changed is written by the caller's commit. */
export class Timeline {
  readonly #records: VaultRecords
  readonly #roomId: string
  /** In order. */
  #numbers: number[]
  readonly #loaded = new Map<number, Pack>()
  readonly #changed = new Set<number>()

  private constructor(records: VaultRecords, roomId: string, numbers: number[]) {
    this.#records = records
    this.#roomId = roomId
    this.#numbers = numbers
  }

  static async open(records: VaultRecords, roomId: string): Promise<Timeline> {
    const index = await records.get(collection, `${roomId}|packs`)
    return new Timeline(records, roomId, [...((index?.['numbers'] ?? []) as number[])])
  }

  get packNumbers(): readonly number[] {
    return this.#numbers
  }

  async pack(number: number): Promise<Pack> {
    const known = this.#loaded.get(number)
    if (known) return known
    const record = await this.#records.get(collection, this.#id(number))
    const pack: Pack = {
      number,
      events: (record?.['events'] ?? []) as unknown as StoredEvent[],
      gap: (record?.['gap'] as string | null | undefined) ?? null,
      after: (record?.['after'] as string | null | undefined) ?? null,
    }
    this.#loaded.set(number, pack)
    return pack
  }

  /** An event of the packs that were read already. */
  loadedEvent(eventId: string): StoredEvent | null {
    for (const { events } of this.#loaded.values()) {
      const found = events.find(event => event.eventId === eventId)
      if (found) return found
    }
    return null
  }

  /** The event, if it is here. Looks from the newest on. */
  async find(
    eventId: string,
    packs = Number.POSITIVE_INFINITY,
  ): Promise<{ pack: Pack; index: number } | null> {
    for (const number of this.#numbers.toReversed().slice(0, packs)) {
      const pack = await this.pack(number)
      const index = pack.events.findIndex(event => event.eventId === eventId)
      if (index >= 0) return { pack, index }
    }
    return null
  }

  /** Live events. `gap`: what lies before them is to be asked for there. */
  async append(events: readonly StoredEvent[], gap: string | null): Promise<void> {
    const last = this.#numbers.at(-1)
    let rest = events
    if (gap === null && last !== undefined) {
      const pack = await this.pack(last)
      const known = new Set(pack.events.map(({ eventId }) => eventId))
      rest = events.filter(({ eventId }) => !known.has(eventId))
      const fitting = rest.slice(0, eventsPerPack - pack.events.length)
      if (fitting.length > 0) this.#put({ ...pack, events: [...pack.events, ...fitting] })
      rest = rest.slice(fitting.length)
    }
    const next = () => (this.#numbers.at(-1) ?? firstNumber) + spacing
    if (rest.length === 0 && gap !== null) this.#put({ number: next(), events: [], gap, after: null })
    for (let at = 0; at < rest.length; at += eventsPerPack) {
      this.#put({
        number: next(),
        events: rest.slice(at, at + eventsPerPack),
        gap: at === 0 ? gap : null,
        after: null,
      })
    }
  }

  /** Older events, the oldest first, to stand right before a pack that had a gap. `gap`: what is before them in turn. */
  async prepend(before: number, events: readonly StoredEvent[], gap: string | null): Promise<void> {
    const pack = await this.pack(before)
    const place = this.#numbers.indexOf(before)
    const previous = await this.#filledBefore(place)
    const here = idsOf(pack)
    const there = idsOf(previous)
    // They reach what we have: the gap is closed, and what lies before that place is here already or has gaps of its own.
    const meeting = events.findLastIndex(({ eventId }) => there.has(eventId))
    const fresh = events.slice(meeting + 1).filter(({ eventId }) => !here.has(eventId))
    const rest = meeting >= 0 ? null : gap
    if (meeting >= 0) await this.#closeEmpty(previous!.number, before)
    if (fresh.length === 0) {
      this.#put({ ...pack, gap: rest })
      return
    }
    this.#put({ ...pack, gap: null })
    const lower = this.#numbers[place - 1] ?? before - spacing * Math.ceil(fresh.length / eventsPerPack + 1)
    const count = Math.ceil(fresh.length / eventsPerPack)
    // As near to the later pack as can be: what is older still goes before them.
    for (let i = count - 1; i >= 0; i--) {
      const number = before - (count - i)
      if (number <= lower) throw new RangeError('no number is left between two packs')
      const end = fresh.length - (count - 1 - i) * eventsPerPack
      this.#put({
        number,
        events: fresh.slice(Math.max(0, end - eventsPerPack), end),
        gap: i === 0 ? rest : null,
        after: null,
      })
    }
  }

  /** Newer events, the oldest first, right after an island. `after`: what follows on them in turn. */
  async extend(number: number, events: readonly StoredEvent[], after: string | null): Promise<void> {
    const pack = await this.pack(number)
    const nextNumber = this.#numbers[this.#numbers.indexOf(number) + 1]
    const next = nextNumber === undefined ? null : await this.pack(nextNumber)
    const here = idsOf(pack)
    const there = idsOf(next)
    const meeting = events.findIndex(({ eventId }) => there.has(eventId))
    const meets = next !== null && meeting >= 0
    const fresh = (meets ? events.slice(0, meeting) : events).filter(({ eventId }) => !here.has(eventId))
    if (meets) this.#put({ ...next, gap: null })
    const rest = meets ? null : after
    if (fresh.length === 0) return this.#put({ ...pack, after: rest })
    this.#put({ ...pack, after: null })
    for (let at = 0, to = number + 1; at < fresh.length; at += eventsPerPack, to++) {
      if (next !== null && to >= next.number) throw new RangeError('no number is left between two packs')
      const isLast = at + eventsPerPack >= fresh.length
      this.#put({
        number: to,
        events: fresh.slice(at, at + eventsPerPack),
        gap: null,
        after: isLast ? rest : null,
      })
    }
  }

  /** Events from the past that follow on nothing that we have: between the packs around their time. */
  async island(events: readonly StoredEvent[], gap: string | null, after: string | null): Promise<void> {
    const ts = events[0]?.ts ?? 0
    let place = 0
    for (const number of this.#numbers) {
      const first = (await this.pack(number)).events[0]
      if (first && first.ts > ts) break
      place++
    }
    const upper = this.#numbers[place]
    const lower = this.#numbers[place - 1]
    const number =
      upper === undefined
        ? (lower ?? firstNumber) + spacing
        : lower === undefined
          ? upper - spacing * 1024
          : Math.floor((lower + upper) / 2)
    if (number === lower || number === upper) throw new RangeError('no number is left between two packs')
    this.#put({ number, events, gap, after })
  }

  /** Other events in the place of some: decrypted later, or redacted. Of a pack that was loaded. */
  replace(number: number, change: (event: StoredEvent) => StoredEvent | null): void {
    const pack = this.#loaded.get(number)
    if (pack) this.#put({ ...pack, events: pack.events.flatMap(event => change(event) ?? []) })
  }

  writes(): VaultWrite[] {
    if (this.#changed.size === 0) return []
    const writes: VaultWrite[] = [...this.#changed].map(number => {
      const { events, gap, after } = this.#loaded.get(number)!
      return { collection, id: this.#id(number), value: { events, gap, after } as unknown as JsonObject }
    })
    writes.push({ collection, id: `${this.#roomId}|packs`, value: { numbers: this.#numbers } })
    return writes
  }

  /** What was written is what we have. */
  written(): void {
    this.#changed.clear()
  }

  /** The nearest pack before that place that holds anything: a sync of reactions alone leaves an empty one. */
  async #filledBefore(place: number): Promise<Pack | null> {
    for (const number of this.#numbers.slice(0, place).toReversed()) {
      const pack = await this.pack(number)
      if (pack.events.length > 0) return pack
    }
    return null
  }

  /** Between two packs that meet nothing is missing. */
  async #closeEmpty(after: number, before: number): Promise<void> {
    const between = this.#numbers.filter(number => number > after && number < before)
    for (const number of between) this.#put({ ...(await this.pack(number)), gap: null })
  }

  #put(pack: Pack): void {
    this.#loaded.set(pack.number, pack)
    this.#changed.add(pack.number)
    if (this.#numbers.includes(pack.number)) return
    this.#numbers = [...this.#numbers, pack.number].sort((a, b) => a - b)
  }

  #id(number: number): string {
    return `${this.#roomId}|${number}`
  }
}

function idsOf(pack: Pack | null): ReadonlySet<string> {
  return new Set(pack?.events.map(({ eventId }) => eventId))
}
