/**
 * One segment of the search index: messages in the order of time, and for each word which of them have it.
 *
 * Format, little-endian: version = 1, messages, words, rooms, postings, bytes of the room ids, of the event ids, of the words
 * (u32 each) ‖ timestamps (f64 a message) ‖ where each word's postings begin, and where the last end (u32) ‖ room of each
 * message (u32) ‖ postings (u16) ‖ room ids, event ids, words: each a UTF-8 text joined by line feeds.
 */
import { utf8Bytes } from '#protocol/utf8.ts'
import { VaultError } from './errors.ts'

/** A posting has 16 bits. */
export const maxMessages = 0xffff
const headerBytes = 32

export interface Segment {
  readonly timestamps: Float64Array
  /** Of each message, its place in `roomIds`. */
  readonly rooms: Uint32Array
  readonly roomIds: readonly string[]
  readonly eventIds: readonly string[]
  /** In the order of code units. */
  readonly words: readonly string[]
  readonly begins: Uint32Array
  readonly postings: Uint16Array
}

/** A message with its words, on its way into a segment. */
export interface IndexedMessage {
  readonly roomId: string
  readonly eventId: string
  readonly timestamp: number
  readonly words: Iterable<string>
}

export function makeSegment(messages: readonly IndexedMessage[]): Segment {
  if (messages.length > maxMessages) throw new RangeError('too many messages for one segment')
  const sorted = messages.toSorted((a, b) => a.timestamp - b.timestamp)
  const places = new Map<string, number>()
  const having = new Map<string, number[]>()
  for (const [i, { roomId, words }] of sorted.entries()) {
    if (!places.has(roomId)) places.set(roomId, places.size)
    for (const word of words) {
      const list = having.get(word)
      if (list) list.push(i)
      else having.set(word, [i])
    }
  }
  const words = [...having.keys()].sort()
  const begins = new Uint32Array(words.length + 1)
  for (const [i, word] of words.entries()) begins[i + 1] = begins[i]! + having.get(word)!.length
  const postings = new Uint16Array(begins.at(-1)!)
  for (const [i, word] of words.entries()) postings.set(having.get(word)!, begins[i])
  return {
    timestamps: Float64Array.from(sorted, message => message.timestamp),
    rooms: Uint32Array.from(sorted, message => places.get(message.roomId)!),
    roomIds: [...places.keys()],
    eventIds: sorted.map(message => message.eventId),
    words,
    begins,
    postings,
  }
}

/** The messages of a segment again: to make another one of them. */
export function messagesOf(segment: Segment): IndexedMessage[] {
  const words = segment.eventIds.map((): string[] => [])
  for (const [i, word] of segment.words.entries())
    for (let p = segment.begins[i]!; p < segment.begins[i + 1]!; p++) words[segment.postings[p]!]!.push(word)
  return segment.eventIds.map((eventId, i) => ({
    roomId: segment.roomIds[segment.rooms[i]!]!,
    eventId,
    timestamp: segment.timestamps[i]!,
    words: words[i]!,
  }))
}

/** Messages that have, for each of these, a word that begins so: the newest last. */
export function matches(segment: Segment, prefixes: readonly string[]): number[] {
  const reached = new Uint8Array(segment.eventIds.length)
  for (const [step, prefix] of prefixes.entries()) {
    const first = lowerBound(segment.words, prefix)
    let end = first
    while (segment.words[end]?.startsWith(prefix)) end++
    for (let p = segment.begins[first]!; p < segment.begins[end]!; p++) {
      const message = segment.postings[p]!
      if (reached[message] === step) reached[message] = step + 1
    }
  }
  const found: number[] = []
  for (let i = 0; i < reached.length; i++) if (reached[i] === prefixes.length) found.push(i)
  return found
}

export function encodeSegment(segment: Segment): Uint8Array {
  const texts = [segment.roomIds, segment.eventIds, segment.words].map(list => utf8Bytes(list.join('\n')))
  const { timestamps, begins, rooms, postings } = segment
  const header = new Uint32Array([
    1,
    timestamps.length,
    segment.words.length,
    segment.roomIds.length,
    postings.length,
    ...texts.map(text => text.length),
  ])
  const parts = [header, timestamps, begins, rooms, postings, ...texts]
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
    at += part.byteLength
  }
  return bytes
}

/** @throws VaultError SEGMENT_BROKEN: its seal held, but it is none of this format */
export function decodeSegment(bytes: Uint8Array): Segment {
  // A copy that begins at a multiple of 8, as the typed arrays want it.
  const { buffer } = bytes.slice()
  if (buffer.byteLength < headerBytes) throw broken()
  const [version, messages, words, rooms, postings, ...lengths] = new Uint32Array(buffer, 0, 8)
  const sizes = [messages! * 8, (words! + 1) * 4, messages! * 4, postings! * 2, ...lengths]
  const starts = sizes.map((_, i) => headerBytes + sizes.slice(0, i).reduce((sum, size) => sum + size, 0))
  if (version !== 1 || starts.at(-1)! + sizes.at(-1)! !== buffer.byteLength) throw broken()
  const list = (i: number, count: number) => {
    const text = new TextDecoder().decode(new Uint8Array(buffer, starts[i]!, sizes[i]!))
    return count === 0 ? [] : text.split('\n')
  }
  const segment: Segment = {
    timestamps: new Float64Array(buffer, starts[0]!, messages!),
    begins: new Uint32Array(buffer, starts[1]!, words! + 1),
    rooms: new Uint32Array(buffer, starts[2]!, messages!),
    postings: new Uint16Array(buffer, starts[3]!, postings!),
    roomIds: list(4, rooms!),
    eventIds: list(5, messages!),
    words: list(6, words!),
  }
  const whole =
    segment.roomIds.length === rooms &&
    segment.eventIds.length === messages &&
    segment.words.length === words &&
    segment.begins[words!] === postings
  if (!whole) throw broken()
  return segment
}

function lowerBound(sorted: readonly string[], value: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function broken(): VaultError {
  return new VaultError('SEGMENT_BROKEN', 'a segment of the search index is not of this format')
}
