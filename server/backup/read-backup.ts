/**
 * Reading one backup file to its end, and what must be true of it: it opens with the key, has a format and a schema
 * that this release knows, is whole, and was signed by the site that it names.
 *
 * The signature is checked at the end, when everything has been handed to the sink already: whoever takes it keeps it
 * apart until `readBackup` has returned. A sink gets each body as it streams.
 */
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { type Card, readCard } from '../protocol/card.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'
import { checkSignature } from '../protocol/signing.ts'
import { verify } from '../rooms/primitives.ts'
import type { HeadRecord } from '../store/head-file.ts'
import { requireReadable } from '../store/import.ts'
import { keyOf, maxChunkBytes, type RowText, rowsOf } from '../store/row-chunks.ts'
import { StoreError } from '../store/store.ts'
import { BackupError } from './backup-error.ts'
import { ContainerReader, cutShort, unreadable } from './container.ts'
import { isSafePath } from './data-files.ts'
import { type UnsealKeys, unseal } from './unseal.ts'

export interface BackupHeader {
  readonly id: string
  readonly serverName: string
  readonly createdTs: number
  readonly release: string
  readonly epoch: number
  readonly head: HeadRecord
  /** null: a full one. */
  readonly base: { readonly id: string; readonly name: string } | null
  /** Signed by the root key in it; whose that is, a person compares. */
  readonly card: Card
}

export interface BackupEnd {
  /** Of the whole store, with what earlier backups of the chain hold. */
  readonly rows: number
  readonly digest: string
  /** In this file. */
  readonly files: number
  readonly media: number
}

export interface BackupSink {
  configuration(json: JsonObject): Promise<void>
  rows(after: string, upTo: string | null, rows: readonly RowText[]): Promise<void>
  file(path: string, body: AsyncIterable<Buffer>): Promise<void>
  media(path: string, body: AsyncIterable<Buffer>): Promise<void>
}

/** A row may be as large as one event's with all that it carries. */
const maxRowsBytes = maxChunkBytes + 64 * 2 ** 20
const maxConfigurationBytes = 2 ** 20

export interface ReadOptions {
  readonly keys: UnsealKeys
  /** Told how many bytes of the file were read. */
  readonly onBytes?: (bytes: number) => void
}

/** Only its beginning. */
export async function readBackupHeader(path: string, keys: UnsealKeys): Promise<BackupHeader> {
  const reader = new ContainerReader(unseal(fileBytes(path), keys))
  try {
    return await headerOf(reader)
  } finally {
    await reader.close().catch(() => {})
  }
}

/** @throws BackupError, or whatever the sink throws. */
export async function readBackup(
  path: string,
  { keys, onBytes }: ReadOptions,
  sink: BackupSink,
): Promise<{ readonly header: BackupHeader; readonly end: BackupEnd }> {
  const reader = new ContainerReader(unseal(fileBytes(path, onBytes), keys))
  try {
    const header = await headerOf(reader)
    for (;;) {
      const record = await reader.next()
      if (record === null) throw cutShort()
      if (record['record'] === 'end') {
        const end = endOf(header, record, reader.digestBefore())
        if ((await reader.next()) !== null) throw unreadable()
        return { header, end }
      }
      await take(record, reader, sink)
    }
  } finally {
    await reader.close().catch(() => {})
  }
}

async function take(record: JsonObject, reader: ContainerReader, sink: BackupSink): Promise<void> {
  switch (record['record']) {
    case 'configuration':
      return sink.configuration(jsonOf(await reader.wholeBody(maxConfigurationBytes)))
    case 'rows': {
      const { after, up_to: upTo } = record
      if (!isHex(after) || !(upTo === null || isHex(upTo))) throw unreadable()
      const from = keyOf(after)
      const to = upTo === null ? null : keyOf(upTo)
      const rows = rowsOf(await reader.wholeBody(maxRowsBytes), from, to)
      if (rows === null || rows.length !== record['rows']) throw unreadable()
      return sink.rows(from, to, rows)
    }
    case 'file':
    case 'media': {
      const { path } = record
      if (!isSafePath(path)) throw unreadable()
      return record['record'] === 'file' ? sink.file(path, reader.body()) : sink.media(path, reader.body())
    }
    default:
      // A record that a later release added, in a format that it says this one can read: its body is skipped.
      return
  }
}

async function headerOf(reader: ContainerReader): Promise<BackupHeader> {
  await reader.begin()
  const record = await reader.next()
  if (record?.['record'] !== 'backup') throw unreadable()
  const { schema, journal, base, id, server, created_ts: createdTs, release, epoch } = record
  if (!isObject(schema) || !isObject(journal)) throw unreadable()
  requireSchema(Number(schema['writer']), Number(schema['oldest_reader']), String(release))
  const reading = readCard(record['card'] as Json, verify)
  if (typeof id !== 'string' || typeof server !== 'string' || reading.kind === 'refused') throw unreadable()
  if (reading.card.serverName !== server) throw unreadable()
  const head = {
    sequence: Number(journal['sequence']),
    position: Number(journal['position']),
    chain: Number(journal['chain']),
  }
  if (![createdTs, epoch, ...Object.values(head)].every(Number.isSafeInteger)) throw unreadable()
  return {
    id,
    serverName: server,
    createdTs: createdTs as number,
    release: String(release),
    epoch: epoch as number,
    head,
    base: baseOf(base),
    card: reading.card,
  }
}

function baseOf(base: Json | undefined): BackupHeader['base'] {
  if (base === null) return null
  if (!isObject(base)) throw unreadable()
  const { id, name } = base
  if (typeof id !== 'string' || typeof name !== 'string' || basename(name) !== name) throw unreadable()
  return { id, name }
}

function endOf(header: BackupHeader, record: JsonObject, digestBefore: string): BackupEnd {
  const keys = new Map(header.card.eventSigning.map(({ id, publicKey }) => [id, publicKey]))
  const { kind } = checkSignature(record, header.serverName, keyId => keys.get(keyId), verify)
  const { id, sha256, rows, digest, files, media } = record
  if (kind !== 'valid' || id !== header.id || sha256 !== digestBefore) {
    throw new BackupError(
      'BACKUP_DAMAGED',
      `This backup was not signed by ${header.serverName}, or was changed afterwards: whoever can write to the place where it lies may have put it there. Use another one, and find out who could.`,
    )
  }
  if (![rows, files, media].every(Number.isSafeInteger) || typeof digest !== 'string') throw unreadable()
  return { rows: rows as number, digest, files: files as number, media: media as number }
}

function requireSchema(writer: number, oldestReader: number, release: string): void {
  try {
    requireReadable({ writer, oldestReader })
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    throw new BackupError(
      'BACKUP_NEWER',
      `This backup was made by release ${release}, whose data this release cannot read. Install that release or a newer one, then try again.`,
      { cause: error },
    )
  }
}

async function* fileBytes(path: string, onBytes?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 256 * 1024 })) {
      bytes += (piece as Buffer).length
      onBytes?.(bytes)
      yield piece as Buffer
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new BackupError('BACKUP_PLACE', `${path} cannot be read (${code}).`, { cause: error })
  }
}

function jsonOf(body: Buffer): JsonObject {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'))
    if (isObject(json)) return json
  } catch {}
  throw unreadable()
}

function isHex(value: Json | undefined): value is string {
  return typeof value === 'string' && /^(?:[0-9a-f]{2})*$/.test(value)
}
