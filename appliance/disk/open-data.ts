/** Opening the data: by the TPM at every start, by recovery key or passphrase when a person types it. */
import { type DataPartition, lookAtData, mappedDevice, mappedName, writeMark } from './data-partition.ts'
import { DiskError } from './disk-error.ts'
import { type DiskState, type OpenedBy, readDiskState, writeDiskState } from './disk-state.ts'
import { type LuksHeader, waysToOpen } from './luks-header.ts'
import type { Machine } from './machine.ts'
import { isMapped, mountData } from './mapped-data.ts'
import { type OurDisk, ourDisk } from './our-disk.ts'
import { plainPassphrase } from './passphrase.ts'
import { looksLikeRecoveryKey, readRecoveryKey, recoveryKeyProblemText } from './recovery-key.ts'
import { hasTpm, openByTpm } from './tpm.ts'

export type TypedSecret = 'recovery-key' | 'passphrase'
type Complete = Extract<DataPartition, { kind: 'complete' }>

/** At every start. Never throws and never waits for anybody: what is the case is in the answer, and in disk.json. */
export async function openAtStart(machine: Machine, ours: OurDisk): Promise<DiskState> {
  const state = await tryToOpen(machine, ours)
  await writeDiskState(machine, state)
  return state
}

async function tryToOpen(machine: Machine, ours: OurDisk): Promise<DiskState> {
  try {
    const data = await lookAtData(machine, ours)
    if (data.kind === 'new') return { state: 'new', tpm: await hasTpm(machine) }
    if (data.kind === 'damaged') return { state: 'damaged', sentence: data.sentence }
    const ways = waysToOpen(data.header)
    if (await isMapped(machine)) {
      // Started a second time: whoever opened it said by what.
      const before = await readDiskState(machine)
      await finishOpening(machine, data.header)
      return { state: 'open', by: before?.state === 'open' ? before.by : 'tpm', ways }
    }
    if (!ways.tpm) return { state: 'locked', why: 'passphrase', ways }
    if (!(await hasTpm(machine))) return { state: 'locked', why: 'no-tpm', ways }
    const opened = await openByTpm(machine, data.device, mappedName)
    if (opened !== 'opened') {
      return { state: 'locked', why: opened === 'failed' ? 'tpm-failed' : 'tpm-refused', ways }
    }
    await finishOpening(machine, data.header)
    return { state: 'open', by: 'tpm', ways }
  } catch (error) {
    return { state: 'damaged', sentence: sentenceOf(error) }
  }
}

/** Opens and mounts by what was typed. Throws KEY_MALFORMED (a typo, named), KEY_WRONG, DATA_…. */
export async function openDataBySecret(machine: Machine, typed: string): Promise<TypedSecret> {
  const { device, header } = await completeData(machine)
  const { secret, kind } = readSecret(typed, header)
  await unlock(machine, device, secret, (await isMapped(machine)) ? null : mappedName)
  try {
    await finishOpening(machine, header)
  } catch (error) {
    await writeDiskState(machine, { state: 'damaged', sentence: sentenceOf(error) })
    throw error
  }
  await writeDiskState(machine, { state: 'open', by: kind satisfies OpenedBy, ways: waysToOpen(header) })
  return kind
}

/** The same proof, without opening anything. */
export async function checkSecret(machine: Machine, typed: string): Promise<TypedSecret> {
  const { device, header } = await completeData(machine)
  const { secret, kind } = readSecret(typed, header)
  await unlock(machine, device, secret, null)
  return kind
}

/** What was typed, as the disk knows it. */
export function readSecret(
  typed: string,
  header: Pick<LuksHeader, 'slotsOf' | 'keyslots'>,
): { readonly secret: string; readonly kind: TypedSecret } {
  const key = readRecoveryKey(typed)
  if (typeof key === 'string') return { secret: key, kind: 'recovery-key' }
  const hasPassphrase = header.slotsOf.passphrase.some(slot => header.keyslots.includes(slot))
  if (!hasPassphrase || looksLikeRecoveryKey(typed)) {
    throw new DiskError('KEY_MALFORMED', recoveryKeyProblemText(key))
  }
  return { secret: plainPassphrase(typed), kind: 'passphrase' }
}

/** The data partition, finished once; whatever else is there throws and says so. */
export async function completeData(machine: Machine): Promise<Complete> {
  const data = await lookAtData(machine, await ourDisk(machine))
  if (data.kind === 'damaged') throw new DiskError('DATA_DAMAGED', data.sentence)
  if (data.kind === 'new') throw new DiskError('DATA_NOT_THERE', 'This machine has no data yet.')
  return data
}

/** Without a name it only tries. */
export async function unlock(
  machine: Machine,
  device: string,
  secret: string,
  name: string | null,
): Promise<void> {
  const args = name === null ? ['--test-passphrase', device] : [device, name]
  const { code, stderr } = await machine.run(
    'cryptsetup',
    ['open', '--type', 'luks2', '--key-file', '-', ...args],
    { input: secret },
  )
  if (code === 0) return
  if (code === 2) throw new DiskError('KEY_WRONG', 'This does not open the disk of this machine.')
  throw new DiskError('DATA_DAMAGED', `The data partition (${device}) cannot be opened.`, {
    cause: new Error(stderr.trim().slice(-1000)),
  })
}

async function finishOpening(machine: Machine, header: LuksHeader): Promise<void> {
  await mountData(machine)
  await writeMark(machine, header)
}

function sentenceOf(error: unknown): string {
  return error instanceof DiskError ? error.message : `The data at ${mappedDevice} cannot be used.`
}
