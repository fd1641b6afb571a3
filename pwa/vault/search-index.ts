/**
 * Full-text search over what this device has decrypted, sealed like everything else.
 *
 * Segments are written once; small ones are merged into larger ones, so that there are few. Only what must be gone (a
 * redaction, a room that was left) rewrites the segments it is in: then its words are gone from the disk as well.
 * Opened, the index lives in the owner's memory. It can always be made again from the messages: where a segment is broken,
 * `incomplete` says so and the rest is searched.
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
  /** Something that was indexed cannot be found: index again from the messages. */
  readonly incomplete: boolean

  private constructor(
    records: VaultRecords,
    segments: Map<string, Segment>,
    next: number,
    incomplete: boolean,
  ) {
    this.#records = records
    this.#segments = segments
    this.#next = next
    this.incomplete = incomplete
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
    const next = Number(manifest?.['next'] ?? 0)
    return new SearchIndex(records, segments, next, segments.size < ids.length)
  }

  get size(): number {
    return this.#segments.values().reduce((sum, segment) => sum + segment.eventIds.length, 0)
  }

  /** Durable on return. What is there already under its id is replaced by `replace`, not by this. */
  add(messages: readonly Message[]): Promise<void> {
    return this.#change(() => this.#insert(new Map(this.#segments), messages))
  }

  /** An edit: the old words go, the new ones come. */
  replace(messages: readonly Message[]): Promise<void> {
    const ids = new Set(messages.map(({ eventId }) => eventId))
    return this.#change(() => {
      const segments = without(this.#segments, (_, eventId) => ids.has(eventId), this.#newId)
      return this.#insert(segments, messages)
    })
  }

  /** Redacted messages, or all of a room that was left. */
  remove(isGone: (roomId: string, eventId: string) => boolean): Promise<void> {
    return this.#change(() => without(this.#segments, isGone, this.#newId))
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
    // A crash between storing a message and indexing it makes somebody index it twice.
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

  /** One after the other. The segments in memory are exchanged when the new ones are on the disk. */
  #change(make: () => Map<string, Segment>): Promise<void> {
    const done = this.#last.then(async () => {
      const segments = make()
      const writes: VaultWrite[] = []
      for (const id of this.#segments.keys())
        if (!segments.has(id)) writes.push({ collection: 'search', id, value: null })
      for (const [id, segment] of segments)
        if (!this.#segments.has(id)) writes.push({ collection: 'search', id, value: encodeSegment(segment) })
      if (writes.length === 0) return
      const manifest = { version: 1, segments: [...segments.keys()], next: this.#next }
      await this.#records.commit([...writes, { collection: 'search', id: 'manifest', value: manifest }])
      this.#segments.clear()
      for (const [id, segment] of segments) this.#segments.set(id, segment)
    })
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
