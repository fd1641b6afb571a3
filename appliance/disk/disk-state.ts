/**
 * What the machine knows of its data, in /run/letro/disk.json: written by letro-disk.service at every start and by whatever opens,
 * creates or erases the data; read by console, boot gate and machine report. It is gone with the power; no secret is in it.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isObject } from '#protocol/json.ts'
import type { Machine } from './machine.ts'

/** What a person can open the data with, and whether the TPM is meant to. */
export interface WaysToOpen {
  readonly tpm: boolean
  readonly recoveryKey: boolean
  readonly passphrase: boolean
}

export const lockedReasons = ['passphrase', 'no-tpm', 'tpm-refused', 'tpm-failed'] as const
/**
 * passphrase: it waits for one, as at every start · no-tpm: it was sealed to a TPM and there is none ·
 * tpm-refused: the TPM is another one, was cleared, or what started is not what it was sealed to ·
 * tpm-failed: the TPM does not answer as it should.
 */
export type LockedReason = (typeof lockedReasons)[number]

export type DiskState =
  /** There is no data yet (or what was begun was never finished): the first start. */
  | { readonly state: 'new'; readonly tpm: boolean }
  | { readonly state: 'open'; readonly by: OpenedBy; readonly ways: WaysToOpen }
  | { readonly state: 'locked'; readonly why: LockedReason; readonly ways: WaysToOpen }
  /** Something is there, and it cannot be read; `sentence` says what. */
  | { readonly state: 'damaged'; readonly sentence: string }

export const openedBy = ['tpm', 'recovery-key', 'passphrase', 'creation'] as const
export type OpenedBy = (typeof openedBy)[number]

/** Null: letro-disk.service has not looked yet. */
export async function readDiskState(machine: Pick<Machine, 'paths'>): Promise<DiskState | null> {
  try {
    return parseDiskState(JSON.parse(await readFile(machine.paths.diskState, 'utf8')))
  } catch {
    return null
  }
}

/** Whole or not at all; nobody but root may change it, everybody may read it. */
export async function writeDiskState(machine: Pick<Machine, 'paths'>, state: DiskState): Promise<void> {
  const file = machine.paths.diskState
  await mkdir(dirname(file), { recursive: true, mode: 0o755 })
  const next = `${file}.${randomUUID()}`
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o644 })
  await rename(next, file)
}

export function parseDiskState(json: unknown): DiskState | null {
  if (!isObject(json)) return null
  const { state, tpm, by, why, ways, sentence } = json
  if (state === 'new' && typeof tpm === 'boolean') return { state, tpm }
  if (state === 'damaged' && typeof sentence === 'string') return { state, sentence }
  const known = parseWays(ways)
  if (!known) return null
  if (state === 'open' && isOneOf(openedBy, by)) return { state, by, ways: known }
  if (state === 'locked' && isOneOf(lockedReasons, why)) return { state, why, ways: known }
  return null
}

function parseWays(ways: unknown): WaysToOpen | null {
  if (!isObject(ways)) return null
  const { tpm, recoveryKey, passphrase } = ways
  if (typeof tpm !== 'boolean' || typeof recoveryKey !== 'boolean' || typeof passphrase !== 'boolean')
    return null
  return { tpm, recoveryKey, passphrase }
}

function isOneOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value)
}
