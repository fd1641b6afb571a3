/**
 * The encrypted backup file: what another device of the same person can go on from.
 *
 * Not in it: the device's own keys and its Olm and outbound sessions. Two devices that go on from one ratchet would use
 * its keys twice; the new device has an identity of its own and takes the rest over.
 *
 * Format: `org.letro.backup.v1` and a line feed ‖ length of the header (u32, big-endian) ‖ header: JSON with the wraps of the
 * file's key, as the vault has them ‖ header of the stream (24) ‖ chunks: length (u32, big-endian) ‖ a message of libsodium's
 * secretstream (XChaCha20-Poly1305). Its associated data is the SHA-256 of all that stands before the chunks; the last
 * message, and no other, has the tag FINAL. A message holds records: length of the store's name (1) ‖ name ‖ length of the
 * record (u32, big-endian) ‖ record (record-frame.ts).
 *
 * A chunk that was cut off, changed, exchanged, repeated or left out fails, and with it the file: it is read to its end
 * before the first record is stored.
 */
import sodium from 'libsodium-wrappers-sumo'
import { encodeBase64 } from '#protocol/base64.ts'
import { isObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { concat } from '../e2ee/bytes.ts'
import { ready, sha256, wipe } from '../e2ee/primitives.ts'
import { VaultError } from './errors.ts'
import { frame, unframe } from './record-frame.ts'
import type { VaultRecords, VaultValue, VaultWrite } from './records.ts'
import { type Opener, parseWrap, VaultKey, type Wrap } from './vault-key.ts'

/** What goes along. Of the engine: what was received and what was decided, nothing that is this device's own. */
const portableStores = [
  'inbound-group-session',
  'message-index',
  'draft',
  'setting',
  'timeline',
  'identity',
  'room',
  'secret',
  'key-backup',
] as const
/**
 * A person can be talked into restoring somebody else's file, under somebody else's passphrase or recovery key; their passkey
 * opens none but their own. So only with it do decisions and private keys count that a file brings.
 */
const onlyByPasskey: ReadonlySet<string> = new Set(['identity', 'room', 'secret', 'key-backup'])
export type PortableStore = (typeof portableStores)[number]
const portable: ReadonlySet<string> = new Set(portableStores)

const magic = utf8Bytes('org.letro.backup.v1\n')
const maxHeaderBytes = 64 * 1024
/** A chunk is full when it has so much. */
const chunkBytes = 256 * 1024
/** One record may be larger than a chunk, but a forged length must not take the memory of the machine. */
const maxChunkBytes = 64 * 1024 * 1024

/** Of libsodium's secretstream: what it puts before all messages, and what each is longer by. */
const streamHeaderBytes = 24
const overheadBytes = 17

/** The file, piece by piece, for whoever stores it. */
export async function* writeBackup(
  records: VaultRecords,
  openers: readonly Opener[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await ready
  if (openers.length === 0) throw new VaultError('LAST_WAY_IN', 'a backup needs a way in')
  const key = VaultKey.create()
  const header = utf8Bytes(JSON.stringify({ version: 1, wraps: openers.map(opener => key.wrap(opener)) }))
  const streamKey = key.subkey('backup')
  key.wipe()
  const stream = sodium.crypto_secretstream_xchacha20poly1305_init_push(streamKey)
  wipe(streamKey)
  const opening = concat([magic, uint32(header.length), header, stream.header])
  const context = sha256(opening)
  const message = (records: readonly Uint8Array[], tag: number) => {
    const sealed = sodium.crypto_secretstream_xchacha20poly1305_push(
      stream.state,
      concat(records),
      context,
      tag,
    )
    return concat([uint32(sealed.length), sealed])
  }
  yield opening
  let full: Uint8Array[] = []
  let size = 0
  for (const store of portableStores) {
    for await (const [id, value] of records.scan(store)) {
      const record = encodeRecord(store, id, value)
      full.push(record)
      size += record.length
      if (size < chunkBytes) continue
      yield message(full, sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
      full = []
      size = 0
    }
  }
  yield message(full, sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL)
}

export interface RestoreProgress {
  readonly phase: 'checking' | 'storing'
  readonly bytes: number
  readonly totalBytes: number
}

export interface RestoreOptions {
  readonly onProgress?: (progress: RestoreProgress) => void
  /** What to store of a record that is here already; without it, what this device knows itself stays. */
  readonly merge?: (store: PortableStore, id: string, here: VaultValue, there: VaultValue) => VaultValue
}

/**
 * Takes a backup over into an open vault. Begun again after an interruption it goes on where it was.
 *
 * @throws VaultError BACKUP_BROKEN, BACKUP_TRUNCATED, BACKUP_NEWER, NOT_A_BACKUP, WRONG_KEY, NO_SUCH_WAY_IN: nothing changed;
 * VAULT_FULL, STORAGE_FAILED: what was stored stays, and the rest follows when it is begun again
 */
export async function restoreBackup(
  records: VaultRecords,
  file: Blob,
  opener: Opener,
  { onProgress = () => {}, merge = (_store, _id, here) => here }: RestoreOptions = {},
): Promise<{ readonly records: number }> {
  await ready
  const opening = await readOpening(file)
  const streamKey = unwrapStreamKey(opening.wraps, opener)
  try {
    const totalBytes = file.size
    for await (const { end } of readChunks(file, opening, streamKey))
      onProgress({ phase: 'checking', bytes: end, totalBytes })

    // Where the last attempt was: the bytes of this very file that are stored.
    const mark = { collection: 'vault', id: `restore ${encodeBase64(opening.context)}` }
    const stored = Number((await records.get('vault', mark.id))?.['bytes'] ?? 0)
    let count = 0
    for await (const { plaintext, end } of readChunks(file, opening, streamKey)) {
      const found = decodeRecords(plaintext).flatMap(record => taken(record, opener))
      count += found.length
      if (end > stored) {
        const writes = await newWrites(records, found, merge)
        await records.commit([...writes, { ...mark, value: { bytes: end } }])
      }
      onProgress({ phase: 'storing', bytes: end, totalBytes })
    }
    await records.commit([{ ...mark, value: null }])
    return { records: count }
  } finally {
    wipe(streamKey)
  }
}

interface Opening {
  readonly wraps: readonly Wrap[]
  readonly streamHeader: Uint8Array
  /** Of all that stands before the chunks. */
  readonly context: Uint8Array
  readonly bytes: number
}

interface BackedUp {
  readonly store: PortableStore
  readonly id: string
  readonly value: VaultValue
}

async function readOpening(file: Blob): Promise<Opening> {
  const start = await bytesOf(file, 0, magic.length + 4)
  if (start.length < magic.length + 4 || !magic.every((byte, i) => start[i] === byte))
    throw new VaultError('NOT_A_BACKUP', 'this file is no backup of ours')
  const length = readUint32(start, magic.length)
  if (length > maxHeaderBytes) throw broken('its header is too long')
  const headerStart = start.length
  const bytes = headerStart + length + streamHeaderBytes
  const opening = await bytesOf(file, 0, bytes)
  if (opening.length < bytes) throw truncated()
  const header = parseJson(opening.subarray(headerStart, headerStart + length))
  if (!isObject(header)) throw broken('its header is no JSON object')
  if (typeof header['version'] === 'number' && header['version'] > 1)
    throw new VaultError('BACKUP_NEWER', 'the backup was written by a newer release')
  if (header['version'] !== 1 || !Array.isArray(header['wraps']))
    throw broken('its header is not of this format')
  const wraps = header['wraps'].map(parseWrap).filter(wrap => wrap !== null)
  return { wraps, streamHeader: opening.subarray(headerStart + length), context: sha256(opening), bytes }
}

function unwrapStreamKey(wraps: readonly Wrap[], opener: Opener): Uint8Array {
  const key = VaultKey.unwrap(wraps, opener)
  const streamKey = key.subkey('backup')
  key.wipe()
  return streamKey
}

async function* readChunks(
  file: Blob,
  opening: Opening,
  streamKey: Uint8Array,
): AsyncGenerator<{ readonly plaintext: Uint8Array; readonly end: number }> {
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(opening.streamHeader, streamKey)
  let at = opening.bytes
  for (;;) {
    const prefix = await bytesOf(file, at, at + 4)
    if (prefix.length < 4) throw truncated()
    const length = readUint32(prefix, 0)
    if (length > maxChunkBytes || length < overheadBytes) throw broken('a chunk has an impossible length')
    const end = at + 4 + length
    if (end > file.size) throw truncated()
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(
      state,
      await bytesOf(file, at + 4, end),
      opening.context,
    )
    if (!opened) throw broken('a chunk is not what was written')
    const isLast = opened.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
    if (isLast && end !== file.size) throw broken('something follows the last chunk')
    yield { plaintext: opened.message, end }
    if (isLast) return
    at = end
  }
}

/** As it may be stored: what no passkey vouches for says of itself that a file brought it (attack 6). */
function taken(record: BackedUp, opener: Opener): readonly BackedUp[] {
  const { store, value } = record
  if (opener.kind === 'passkey') return [record]
  if (onlyByPasskey.has(store)) return []
  if (value instanceof Uint8Array) return [record]
  if (store === 'inbound-group-session') return [{ ...record, value: { ...value, source: 'file' } }]
  if (store === 'timeline') return [{ ...record, value: { ...value, fromFile: true } }]
  return [record]
}

async function newWrites(
  records: VaultRecords,
  found: readonly BackedUp[],
  merge: NonNullable<RestoreOptions['merge']>,
): Promise<VaultWrite[]> {
  const writes: VaultWrite[] = []
  for (const [store, list] of Map.groupBy(found, each => each.store)) {
    const here = await records.getMany(
      store,
      list.map(({ id }) => id),
    )
    for (const [i, { id, value: there }] of list.entries()) {
      const known = here[i] ?? (await records.getBytes(store, id))
      const value = known === undefined ? there : merge(store, id, known, there)
      if (value !== known) writes.push({ collection: store, id, value })
    }
  }
  return writes
}

function encodeRecord(store: PortableStore, id: string, value: VaultValue): Uint8Array {
  const name = utf8Bytes(store)
  const record = frame(id, value)
  return concat([new Uint8Array([name.length]), name, uint32(record.length), record])
}

function decodeRecords(plaintext: Uint8Array): BackedUp[] {
  const found: BackedUp[] = []
  for (let at = 0; at < plaintext.length; ) {
    const nameEnd = at + 1 + plaintext[at]!
    const end = nameEnd + 4 + (nameEnd + 4 <= plaintext.length ? readUint32(plaintext, nameEnd) : 0)
    const store = new TextDecoder().decode(plaintext.subarray(at + 1, nameEnd))
    const record = end <= plaintext.length ? unframe(plaintext.subarray(nameEnd + 4, end)) : null
    if (!record) throw broken('a record is not of this format')
    // A later release may back up more than this one knows.
    if (portable.has(store)) found.push({ store: store as PortableStore, ...record })
    at = end
  }
  return found
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer())
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

function uint32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value])
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
}

function broken(what: string): VaultError {
  return new VaultError('BACKUP_BROKEN', `the backup is damaged: ${what}`)
}

function truncated(): VaultError {
  return new VaultError('BACKUP_TRUNCATED', 'the backup ends before its end')
}
