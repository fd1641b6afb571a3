/**
 * What the updater remembers over restarts: `update.json` on the encrypted partition.
 *
 * It is replaced whole (written beside, synced, renamed, the folder synced): after a crash it is the old one or the new one.
 * The counter is stored before a byte of the slot is written, so that no crash lets an older release in again.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { type UpdateEvent, updateEventKinds } from '#protocol/update-status.ts'
import { UpdateError } from './update-error.ts'
import { parseVersion, type Version } from './version.ts'
import { parseWindow, type RestartWindow } from './window.ts'

export interface AppliedUpdate {
  readonly version: Version
  readonly ts: number
  /** Of the start in which it was applied. */
  readonly bootId: string
  /** The updater has restarted the machine for it: it does so once. */
  readonly restarted: boolean
}

export interface UpdateRecord {
  /** The highest that was accepted. */
  readonly counter: number
  readonly window: RestartWindow | null
  /** Being written to the other slot. */
  readonly writing: { readonly version: Version; readonly ts: number } | null
  /** Written, and not yet known to run well. */
  readonly applied: AppliedUpdate | null
  /** The last one that the machine came back from. */
  readonly wentBack: { readonly version: Version; readonly ts: number } | null
  /** The newest last. */
  readonly events: readonly UpdateEvent[]
}

export const emptyRecord: UpdateRecord = {
  counter: 0,
  window: null,
  writing: null,
  applied: null,
  wentBack: null,
  events: [],
}

const keptEvents = 30

export function withEvent(record: UpdateRecord, event: UpdateEvent): UpdateRecord {
  return { ...record, events: [...record.events, event].slice(-keptEvents) }
}

/**
 * A record that cannot be understood counts as none, and is kept beside: then the running release's own counter is the
 * floor. Throws UPDATE_SETTINGS where it cannot be read at all.
 */
export async function readRecord(file: string): Promise<UpdateRecord> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return emptyRecord
    throw unreadable(cause)
  }
  const record = parseRecord(text)
  if (record) return record
  await rename(file, `${file}.damaged`)
  return emptyRecord
}

export async function writeRecord(file: string, record: UpdateRecord): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const out = await open(`${file}.part`, 'w', 0o600)
    try {
      await out.writeFile(`${JSON.stringify(record)}\n`)
      await out.sync()
    } finally {
      await out.close()
    }
    await rename(`${file}.part`, file)
    const folder = await open(dirname(file), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** null: not what we write. */
export function parseRecord(text: string): UpdateRecord | null {
  const read = objectIn(text)
  if (!read || !Number.isSafeInteger(read['counter']) || !Array.isArray(read['events'])) return null
  const writing = versionAndTs(read['writing'])
  const applied = versionAndTs(read['applied'])
  const { bootId, restarted } = isObject(read['applied']) ? read['applied'] : {}
  return {
    counter: read['counter'] as number,
    window: parseWindow(read['window']),
    writing,
    applied:
      applied && typeof bootId === 'string' ? { ...applied, bootId, restarted: restarted === true } : null,
    wentBack: versionAndTs(read['wentBack']),
    events: (read['events'] as readonly unknown[]).flatMap(event => parseEvent(event) ?? []),
  }
}

function parseEvent(value: unknown): UpdateEvent | null {
  if (!isObject(value) || typeof value['ts'] !== 'number') return null
  const kind = updateEventKinds.find(each => each === value['kind'])
  if (!kind) return null
  const { ts, version, code, sentence } = value
  return {
    ts,
    kind,
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof sentence === 'string' ? { sentence } : {}),
  }
}

function versionAndTs(value: unknown): { version: Version; ts: number } | null {
  if (!isObject(value)) return null
  const version = parseVersion(value['version'])
  return version && typeof value['ts'] === 'number' ? { version, ts: value['ts'] } : null
}

function objectIn(text: string): JsonObject | null {
  try {
    const read: unknown = JSON.parse(text)
    return isObject(read) ? read : null
  } catch {
    return null
  }
}

function unreadable(cause: unknown): UpdateError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return new UpdateError(
    'UPDATE_SETTINGS',
    code === 'ENOSPC'
      ? 'The data disk is full: what happens to an update could not be noted. The running version was not changed. Make room, then try again.'
      : `What happens to an update could not be noted on the data disk (${code}). The running version was not changed.`,
    { cause },
  )
}
