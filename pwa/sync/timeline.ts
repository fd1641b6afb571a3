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
/** So many packs stay in memory; a room of any length takes no more. */
const packsInMemory = 200
/** Around a place so many events are looked through for those that come a second time: twice what one answer brings. */
const overlap = 200
/** Times are told by servers and may be out of order: as many packs beside the likely one are looked at. */
const nearby = 3

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
    // While we read, somebody may have put another one there.
    const put = this.#loaded.get(number)
    if (put) return put
    const pack: Pack = {
      number,
      events: (record?.['events'] ?? []) as unknown as StoredEvent[],
      gap: (record?.['gap'] as string | null | undefined) ?? null,
      after: (record?.['after'] as string | null | undefined) ?? null,
    }
    this.#loaded.set(number, pack)
    this.#forgetOldest(number)
    return pack
  }

  #forgetOldest(butNot: number | null): void {
    for (const number of this.#loaded.keys()) {
      if (this.#loaded.size <= packsInMemory) return
      if (number !== butNot && !this.#changed.has(number)) this.#loaded.delete(number)
    }
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

  /** The event, if it is here, by when it was sent: without a walk through everything. */
  async findBy(eventId: string, ts: number): Promise<{ pack: Pack; index: number } | null> {
    const likely = (await this.#placeOf(ts)) - 1
    const numbers = this.#numbers.slice(Math.max(0, likely - nearby), likely + nearby + 1)
    for (const number of numbers) {
      const pack = await this.pack(number)
      const index = pack.events.findIndex(event => event.eventId === eventId)
      if (index >= 0) return { pack, index }
    }
    return this.find(eventId)
  }

  /** How many packs begin no later than this. */
  async #placeOf(ts: number): Promise<number> {
    let [low, high] = [0, this.#numbers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const first = (await this.pack(this.#numbers[middle]!)).events[0]
      if (first && first.ts > ts) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Events that stand nearest to a place, in one direction, up to the next gap. */
  async #idsFrom(index: number, step: 1 | -1): Promise<Set<string>> {
    const ids = new Set<string>()
    for (let i = index; ids.size < overlap && i >= 0 && i < this.#numbers.length; i += step) {
      for (const { eventId } of (await this.pack(this.#numbers[i]!)).events) ids.add(eventId)
      const later = this.#numbers[step === 1 ? i + 1 : i]
      // A sync of reactions alone leaves an empty pack: what lies beyond it is the neighbour.
      if (ids.size > 0 && later !== undefined && (await this.pack(later)).gap !== null) break
    }
    return ids
  }

  /** Empty packs before a place whose gap reached beyond them: nothing is missing between. */
  async #closeEmptyBefore(place: number): Promise<void> {
    for (let i = place - 1; i >= 0; i--) {
      const pack = await this.pack(this.#numbers[i]!)
      if (pack.events.length > 0) return
      if (pack.gap !== null) this.#put({ ...pack, gap: null })
    }
  }

  /** Live events. `gap`: what lies before them is to be asked for there. */
  async append(events: readonly StoredEvent[], gap: string | null): Promise<void> {
    const last = this.#numbers.at(-1)
    await this.#takeOut(new Set(events.map(({ eventId }) => eventId)))
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

  /** Somebody who jumped to what had just been said brought it before its sync: its place is the live end. */
  async #takeOut(eventIds: ReadonlySet<string>): Promise<void> {
    for (const { number, events } of this.#loaded.values()) {
      if (number !== this.#numbers.at(-1) && events.some(({ eventId }) => eventIds.has(eventId)))
        await this.replace(number, event => (eventIds.has(event.eventId) ? null : event))
    }
  }

  /** Older events, the oldest first, to stand right before a pack that had a gap. `gap`: what is before them in turn. */
  async prepend(before: number, events: readonly StoredEvent[], gap: string | null): Promise<void> {
    const pack = await this.pack(before)
    const place = this.#numbers.indexOf(before)
    const older = await this.#idsFrom(place - 1, -1)
    const known = new Set([...older, ...pack.events.map(({ eventId }) => eventId)])
    // They reach what we have: the gap is closed, and what is older still is there, or part of another gap.
    const first = events.findIndex(({ eventId }) => older.has(eventId))
    if (first >= 0) await this.#closeEmptyBefore(place)
    const rest = first < 0 ? gap : null
    const fresh = events.slice(Math.max(0, first)).filter(({ eventId }) => !known.has(eventId))
    if (fresh.length === 0) return this.#put({ ...pack, gap: rest })
    const count = Math.ceil(fresh.length / eventsPerPack)
    // As near to the later pack as can be: what is older still goes before them.
    const lower = this.#numbers[place - 1] ?? Number.NEGATIVE_INFINITY
    if (before - count <= lower) throw new RangeError('no number is left between two packs')
    this.#put({ ...pack, gap: null })
    for (let i = 0; i < count; i++) {
      const end = fresh.length - (count - 1 - i) * eventsPerPack
      this.#put({
        number: before - (count - i),
        events: fresh.slice(Math.max(0, end - eventsPerPack), end),
        gap: i === 0 ? rest : null,
        after: null,
      })
    }
  }

  /** Where to ask for what follows on a pack behind which there is a gap. */
  async continueFrom(number: number, after: string): Promise<void> {
    this.#put({ ...(await this.pack(number)), after })
  }

  /** Newer events, the oldest first, right after such a pack. `after`: what follows on them in turn. */
  async extend(number: number, events: readonly StoredEvent[], after: string | null): Promise<void> {
    const pack = await this.pack(number)
    const place = this.#numbers.indexOf(number)
    const newer = await this.#idsFrom(place + 1, 1)
    const nextNumber = this.#numbers[place + 1]
    const next = nextNumber === undefined ? null : await this.pack(nextNumber)
    const known = new Set([...newer, ...(await this.#idsFrom(place, -1))])
    // They reach what we have, or the end of the room, which the next pack is part of.
    const meets = next !== null && (after === null || events.some(({ eventId }) => newer.has(eventId)))
    const rest = meets ? null : after
    // What is newer still than what we have comes with the next sync.
    const last = events.findLastIndex(({ eventId }) => newer.has(eventId))
    const upTo = last < 0 ? events : events.slice(0, last)
    const fresh = upTo.filter(({ eventId }) => !known.has(eventId))
    const count = Math.ceil(fresh.length / eventsPerPack)
    if (next !== null && number + count >= next.number)
      throw new RangeError('no number is left between two packs')
    if (meets) this.#put({ ...next, gap: null })
    this.#put({ ...pack, after: count === 0 ? rest : null })
    for (let i = 0; i < count; i++) {
      this.#put({
        number: number + 1 + i,
        events: fresh.slice(i * eventsPerPack, (i + 1) * eventsPerPack),
        gap: null,
        after: i === count - 1 ? rest : null,
      })
    }
  }

  /**
   * Events from the past that follow on nothing that we have: into the gap that lies nearest to their time. False: we have all of
   * that time, and they are not part of it; or they are newer than all that we have, and come with the next sync.
   */
  async island(events: readonly StoredEvent[], gap: string | null, after: string | null): Promise<boolean> {
    const upper = await this.#gapNear(events[0]?.ts ?? 0)
    if (upper === null || (events.at(-1)?.ts ?? 0) > (await this.#lastTs())) return false
    const place = this.#numbers.indexOf(upper)
    const lower = this.#numbers[place - 1]
    const number = lower === undefined ? upper - spacing * 1024 : Math.floor((lower + upper) / 2)
    if (number === lower) throw new RangeError('no number is left between two packs')
    const [newer, older] = [await this.#idsFrom(place, 1), await this.#idsFrom(place - 1, -1)]
    const fresh = events.filter(({ eventId }) => !newer.has(eventId) && !older.has(eventId))
    const meetsNewer = events.some(({ eventId }) => newer.has(eventId))
    const meetsOlder = events.some(({ eventId }) => older.has(eventId))
    if (meetsNewer) this.#put({ ...(await this.pack(upper)), gap: null })
    this.#put({ number, events: fresh, gap: meetsOlder ? null : gap, after: meetsNewer ? null : after })
    return true
  }

  async #lastTs(): Promise<number> {
    for (const number of this.#numbers.toReversed()) {
      const last = (await this.pack(number)).events.at(-1)
      if (last) return last.ts
    }
    return 0
  }

  /** The pack that has a gap before it, from the likely one on in both directions. */
  async #gapNear(ts: number): Promise<number | null> {
    const likely = await this.#placeOf(ts)
    for (let away = 0; away <= this.#numbers.length; away++) {
      for (const number of new Set([this.#numbers[likely + away], this.#numbers[likely - away]])) {
        if (number !== undefined && (await this.pack(number)).gap !== null) return number
      }
    }
    return null
  }

  /** Other events in the place of some: decrypted later, or redacted. */
  async replace(number: number, change: (event: StoredEvent) => StoredEvent | null): Promise<void> {
    const pack = await this.pack(number)
    this.#put({ ...pack, events: pack.events.flatMap(event => change(event) ?? []) })
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
    this.#forgetOldest(null)
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
