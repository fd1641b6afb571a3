/**
 * The backup of room keys: there is one as soon as there is an identity, and what is in it is taken, once.
 *
 * Restoring goes on in the background. How far it came is not kept: to take a session a second time is harmless.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { v3 } from '../api/http.ts'
import { restoreWholeBackup } from '../e2ee/backup-restore.ts'
import { E2eeError } from '../e2ee/errors.ts'
import { type Backup, createBackup, readBackup, receiveBackupInfo } from '../e2ee/key-backup.ts'
import { backupSecret, readSecret } from '../e2ee/secrets.ts'
import type { TrustDeps } from './ports.ts'
import { storeAgain } from './storage.ts'

const restoredId = 'restored-backup'

/** Makes one, with a key of its own: sessions go into it from now on. @throws ApiError */
export async function newBackup({ machine, http, records }: TrustDeps): Promise<void> {
  const body = await machine.run((step, own) => createBackup(step, own))
  const { version } = await http.request('POST', `${v3}/room_keys/version`, { body })
  if (typeof version !== 'string') throw new ApiError('BAD_ANSWER', 'the server does not name the backup')
  // Nothing is in it that is not here.
  await markRestored(records, version)
  await machine.run((step, own) => receiveBackupInfo(step, own, { ...body, version }))
}

/** What the server has. Null: none. @throws ApiError, E2eeError */
export async function learnBackup({ machine, http }: TrustDeps): Promise<Backup | null> {
  let info: JsonObject | null
  try {
    info = await http.request('GET', `${v3}/room_keys/version`)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    info = null
  }
  return machine.run((step, own) => receiveBackupInfo(step, own, info))
}

/** Makes a backup where our identity is here and there is none. */
export async function ensureBackup(deps: TrustDeps): Promise<void> {
  try {
    if (await learnBackup(deps)) return
  } catch (error) {
    // Another client's, of a kind that we do not have: it is theirs to replace.
    if (error instanceof E2eeError) return
    throw error
  }
  const isOurs = await deps.machine.run(
    async step => (await readSecret(step, 'm.cross_signing.master')) !== null,
  )
  if (!isOurs) return
  await newBackup(deps)
  await storeAgain(deps)
}

/** Takes what is in the backup, unless that was done already. @throws ApiError, E2eeError */
export async function restoreOnce(deps: TrustDeps): Promise<void> {
  const { machine, http, records, tell } = deps
  const backup = await machine.run(step => readBackup(step))
  const hasKey = await machine.run(async step => (await readSecret(step, backupSecret)) !== null)
  if (!backup || !hasKey) return
  const { version } = backup
  if ((await records.get('trust', restoredId))?.['version'] === version) return
  const answer = await http.request('GET', `${v3}/room_keys/keys`, {
    query: { version },
    timeoutMs: downloadMs,
  })
  await restoreWholeBackup(
    input => machine.run(input),
    answer,
    (done, total) => tell({ kind: 'backup-restore', done, total }),
  )
  await markRestored(records, version)
}

/** Years of keys are some ten megabytes. */
const downloadMs = 5 * 60_000

async function markRestored(records: TrustDeps['records'], version: string): Promise<void> {
  await records.commit([{ collection: 'trust', id: restoredId, value: { version } }])
}
