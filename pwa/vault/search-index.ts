/**
 * Full-text search over what this device has decrypted, sealed like everything else.
 *
 * Segments are written once; small ones are merged into larger ones, so that there are few. Only what must be gone (a
 * redaction, a room that was left) rewrites the segments it is in: then its words are gone from the disk as well.
 * Opened, the index lives in the owner's memory. Messages and their words are one commit: a crash leaves both or neither. The
 * index can always be made again from the messages: where a segment is broken `incomplete` says so, until somebody has done
 * that, and the rest is searched.
 */
import type { VaultRecords, VaultWrite } from './records.ts'
import {
  decodeSegment,
  encodeSegment,
  makeSegment,
  matches,
  maxMessages,
  messagesOf,
  type Segment,
} from './search-segment.ts'
import { indexWords, queryWords } from './search-words.ts'

export interface Message {
  readonly roomId: string
  readonly eventId: string
  readonly timestamp: number
  readonly text: string
}

export interface Found {
  readonly roomId: string
  readonly eventId: string
  readonly timestamp: number
}

/** In this order. */
export interface IndexChange {
  /** What is there already under its id is replaced by `replace`, not by this. */
  readonly add?: readonly Message[]
  /** Edited: the old words go, the new ones come. */
  readonly replace?: readonly Message[]
  /** Redacted messages, or all of a room that was left. */
  readonly isGone?: (roomId: string, eventId: string) => boolean
}

export interface SearchOptions {
  readonly roomId?: string
  readonly limit?: number
}

/** So many of about one size become one. */
const mergeAt = 8
/** A person does not type more, and each costs time. */
const maxQueryWords = 16
const defaultLimit = 100

export class SearchIndex {
  readonly #records: VaultRecords
  readonly #segments: Map<string, Segment>
  #next: number
  #last: Promise<unknown> = Promise.resolve()
  #incomplete: boolean
  /** Nothing was ever indexed here; or all of it is gone. */
  #isNew: boolean

  private constructor(
    records: VaultRecords,
    segments: Map<string, Segment>,
    { next, incomplete, isNew }: { next: number; incomplete: boolean; isNew: boolean },
  ) {
    this.#records = records
    this.#segments = segments
    this.#next = next
    this.#incomplete = incomplete
    this.#isNew = isNew
  }

  static async open(records: VaultRecords): Promise<SearchIndex> {
    const manifest = await records.get('search', 'manifest')
    const ids = Array.isArray(manifest?.['segments']) ? manifest['segments'].map(String) : []
    const segments = new Map<string, Segment>()
    for (const id of ids) {
      const bytes = await records.getBytes('search', id)
      try {
        if (bytes) segments.set(id, decodeSegment(bytes))
      } catch {
        // Counted below: it is missing.
      }
    }
    return new SearchIndex(records, segments, {
      next: Number(manifest?.['next'] ?? 0),
      incomplete: segments.size < ids.length || manifest?.['incomplete'] === true,
      isNew: manifest === undefined,
    })
  }

  /** Something that was indexed cannot be found: index again from the messages. */
  get incomplete(): boolean {
    return this.#incomplete
  }

  /** Where there are messages it has to be made from them. */
  get isNew(): boolean {
    return this.#isNew
  }

  /** Before the index is made again, and afterwards. Durable: a crash in between has it begun anew. */
  setIncomplete(incomplete: boolean): Promise<void> {
    return this.#turn(async () => {
      this.#incomplete = incomplete
      await this.#records.commit([this.#manifest(this.#segments)])
      this.#isNew = false
    })
  }

  get size(): number {
    return this.#segments.values().reduce((sum, segment) => sum + segment.eventIds.length, 0)
  }

  /** Durable on return. */
  add(messages: readonly Message[]): Promise<void> {
    return this.commit({ add: messages })
  }

  replace(messages: readonly Message[]): Promise<void> {
    return this.commit({ replace: messages })
  }

  remove(isGone: (roomId: string, eventId: string) => boolean): Promise<void> {
    return this.commit({ isGone })
  }

  /** The change, and with it what it is about: all or none, on the disk when it returns. */
  commit({ add = [], replace = [], isGone }: IndexChange, more: readonly VaultWrite[] = []): Promise<void> {
    return this.#turn(async () => {
      let segments = this.#insert(new Map(this.#segments), add)
      if (replace.length > 0) {
        const ids = new Set(replace.map(({ eventId }) => eventId))
        segments = this.#insert(
          without(segments, (_, eventId) => ids.has(eventId), this.#newId),
          replace,
        )
      }
      if (isGone) segments = without(segments, isGone, this.#newId)
      await this.#exchange(segments, more)
    })
  }

  /** Messages that have all these words or beginnings of words, the newest first. */
  search(query: string, { roomId, limit = defaultLimit }: SearchOptions = {}): Found[] {
    const prefixes = queryWords(query).slice(0, maxQueryWords)
    if (prefixes.length === 0) return []
    const found: Found[] = []
    for (const segment of this.#segments.values()) {
      const messages = matches(segment, prefixes)
      // Each segment is in the order of time: its newest are enough.
      for (let i = messages.length - 1, taken = 0; i >= 0 && taken < limit; i--) {
        const message = messages[i]!
        const room = segment.roomIds[segment.rooms[message]!]!
        if (roomId !== undefined && room !== roomId) continue
        found.push({
          roomId: room,
          eventId: segment.eventIds[message]!,
          timestamp: segment.timestamps[message]!,
        })
        taken++
      }
    }
    const newestFirst = found.sort((a, b) => b.timestamp - a.timestamp)
    // What is indexed twice is found once.
    const seen = new Set<string>()
    return newestFirst.filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId)).slice(0, limit)
  }

  readonly #newId = (): string => `segment ${this.#next++}`

  #insert(segments: Map<string, Segment>, messages: readonly Message[]): Map<string, Segment> {
    // A line feed, which no id has, would be taken for two ids.
    const valid = messages.filter(({ roomId, eventId }) => !`${roomId}${eventId}`.includes('\n'))
    for (let i = 0; i < valid.length; i += maxMessages) {
      const some = valid.slice(i, i + maxMessages)
      const indexed = some.map(message => ({ ...message, words: indexWords(message.text) }))
      segments.set(this.#newId(), makeSegment(indexed))
    }
    return merged(segments, this.#newId)
  }

  /** The segments in memory are exchanged when the new ones are on the disk. */
  async #exchange(segments: Map<string, Segment>, more: readonly VaultWrite[]): Promise<void> {
    const writes: VaultWrite[] = []
    for (const id of this.#segments.keys())
      if (!segments.has(id)) writes.push({ collection: 'search', id, value: null })
    for (const [id, segment] of segments)
      if (!this.#segments.has(id)) writes.push({ collection: 'search', id, value: encodeSegment(segment) })
    if (writes.length > 0) writes.push(this.#manifest(segments))
    if (writes.length + more.length === 0) return
    await this.#records.commit([...more, ...writes])
    if (writes.length > 0) this.#isNew = false
    this.#segments.clear()
    for (const [id, segment] of segments) this.#segments.set(id, segment)
  }

  #manifest(segments: ReadonlyMap<string, Segment>): VaultWrite {
    const value = {
      version: 1,
      segments: [...segments.keys()],
      next: this.#next,
      incomplete: this.#incomplete,
    }
    return { collection: 'search', id: 'manifest', value }
  }

  /** One after the other. */
  #turn(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act)
    this.#last = done.catch(() => {})
    return done
  }
}

/** A copy where the segments that had such messages are made anew without them. */
function without(
  segments: ReadonlyMap<string, Segment>,
  isGone: (roomId: string, eventId: string) => boolean,
  newId: () => string,
): Map<string, Segment> {
  const left = new Map<string, Segment>()
  for (const [id, segment] of segments) {
    const gone = (eventId: string, i: number) => isGone(segment.roomIds[segment.rooms[i]!]!, eventId)
    if (!segment.eventIds.some(gone)) {
      left.set(id, segment)
      continue
    }
    const kept = messagesOf(segment).filter(({ roomId, eventId }) => !isGone(roomId, eventId))
    if (kept.length > 0) left.set(newId(), makeSegment(kept))
  }
  return left
}

/** Segments of about one size become one, as often as that goes. */
function merged(segments: Map<string, Segment>, newId: () => string): Map<string, Segment> {
  for (;;) {
    const bySize = Map.groupBy(segments, ([, segment]) =>
      Math.floor(Math.log(segment.eventIds.length) / Math.log(mergeAt)),
    )
    const group = bySize
      .values()
      .filter(each => each.length >= mergeAt)
      .map(fitting)
      .find(each => each.length > 1)
    if (!group) return segments
    for (const [id] of group) segments.delete(id)
    segments.set(newId(), makeSegment(group.flatMap(([, segment]) => messagesOf(segment))))
  }
}

/** The smallest of a group, as many as one segment holds. */
function fitting<T extends readonly [string, Segment]>(group: readonly T[]): T[] {
  let size = 0
  return group
    .toSorted(([, a], [, b]) => a.eventIds.length - b.eventIds.length)
    .filter(([, segment]) => {
      size += segment.eventIds.length
      return size <= maxMessages
    })
}
