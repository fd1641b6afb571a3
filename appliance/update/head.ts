/**
 * The head of an update file: three lines, before the parts. The format stands in README.md.
 *
 * A signature covers the first two lines as they stand in the file, so that nothing that we sign elsewhere can pass for
 * an update.
 */
import type { KeyObject } from 'node:crypto'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { isObject } from '#protocol/json.ts'
import { type Manifest, manifestText, parseManifest } from './manifest.ts'
import { UpdateError } from './update-error.ts'
import { requireSigned, signUpdate, type TrustedKeys, type UpdateSignatures } from './update-keys.ts'

const formatVersion = 1
/** Longer than any head that is written. */
export const maxHeadBytes = 64 * 1024

export function head(manifest: Manifest, keys: readonly KeyObject[]): Buffer {
  const signed = Buffer.from(`letro-update ${formatVersion}\n${manifestText(manifest)}\n`)
  return Buffer.concat([signed, Buffer.from(`${canonicalJson(signUpdate(signed, keys))}\n`)])
}

export interface Head {
  readonly manifest: Manifest
  /** Where the first part begins. */
  readonly bytes: number
}

/** @param beginning of the file, `maxHeadBytes` of it or all; nothing of the manifest is believed before its signature held */
export function parseHead(beginning: Buffer, trusted: TrustedKeys): Head {
  const first = beginning.indexOf(10)
  const format = Number(
    /^letro-update ([1-9]\d{0,5})$/.exec(beginning.toString('latin1', 0, Math.max(first, 0)))?.[1],
  )
  if (!Number.isInteger(format)) {
    throw new UpdateError('UPDATE_NOT_ONE', 'This file is no update of Letro. Nothing was changed.')
  }
  if (format > formatVersion) {
    throw new UpdateError(
      'UPDATE_NEWER_FORMAT',
      `The update file has format ${format}; this version reads up to ${formatVersion}. Apply an update between this version and that one first.`,
    )
  }
  const second = beginning.indexOf(10, first + 1)
  const third = second < 0 ? -1 : beginning.indexOf(10, second + 1)
  if (third < 0) throw beginning.length < maxHeadBytes ? truncated() : damaged()
  const signatures = parseSignatures(beginning.toString('utf8', second + 1, third))
  requireSigned(beginning.subarray(0, second + 1), signatures, trusted)
  return { manifest: parseManifest(beginning.toString('utf8', first + 1, second)), bytes: third + 1 }
}

export function truncated(): UpdateError {
  return new UpdateError(
    'UPDATE_TRUNCATED',
    'The update file is cut short: its end is missing. Nothing was changed. Copy it again from where it came.',
  )
}

export function damaged(): UpdateError {
  return new UpdateError(
    'UPDATE_DAMAGED',
    'The update file is damaged. Nothing was changed. Copy it again from where it came, and compare its checksum.',
  )
}

function parseSignatures(text: string): UpdateSignatures {
  try {
    const read: unknown = JSON.parse(text)
    // One text alone: whatever changes a byte of the file is noticed.
    if (isObject(read) && canonicalJson(read) === text && Object.values(read).every(isText))
      return read as UpdateSignatures
  } catch {}
  throw damaged()
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
