/**
 * Restoring from afar, for a server whose machine nobody can type at: into maintenance, a backup uploaded or named, restored beside the
 * data in use and checked, then the server starts again with it.
 *
 * Until the last step nothing of the data in use is touched; what then goes is kept aside (restored-data.ts). The key that
 * opens the backup is in memory alone.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { BackupError } from './backup/backup-error.ts'
import { restoredFolder, uploadedFolder } from './backup/data-files.ts'
import { parseBackupName } from './backup/names.ts'
import { restoreBackup } from './backup/restore.ts'
import { bodyPieces } from './http/body.ts'
import { mayString, mayStrings, needString } from './http/fields.ts'
import { invalidParam, MatrixError, notFound } from './http/matrix-error.ts'
import type { Step } from './http/route.ts'
import type { JsonObject } from './protocol/json.ts'
import { isKeptAside, orderReplacing } from './restored-data.ts'

export interface RestoreJobDeps {
  readonly dataFolder: string
  readonly serverName: string
  /** backup.folder; null: none. */
  readonly backupFolder: () => string | null
  readonly clock: () => number
  /** Nothing is served, and the data in use may go. */
  readonly isInMaintenance: () => boolean
  /** The whole server, anew. */
  readonly restart: () => void
}

type State =
  | { readonly state: 'none' }
  | { readonly state: 'running'; step: string; done: number; total: number }
  | { readonly state: 'failed'; readonly code: string; readonly error: string }
  | { readonly state: 'restarting' }

export interface RestoreJob {
  /** For the status; `kept_aside` is the folder with what the last restore has replaced. */
  shown(): Promise<JsonObject>
  /** What is written from now on would be replaced. */
  isUnderWay(): boolean
  readonly upload: Step
  readonly restore: Step
}

export function openRestoreJob(deps: RestoreJobDeps): RestoreJob {
  const { dataFolder } = deps
  const uploaded = join(dataFolder, uploadedFolder)
  let job: State = { state: 'none' }

  const isUnderWay = () => job.state === 'running' || job.state === 'restarting'
  const mustBeInMaintenance = () => {
    if (!deps.isInMaintenance())
      throw new MatrixError(409, 'M_UNKNOWN', 'The server serves people: enter maintenance first.')
    if (isUnderWay()) throw new MatrixError(409, 'M_UNKNOWN', 'A backup is being restored already.')
  }

  const run = async (path: string, keys: { identities: readonly string[]; passphrase?: string }) => {
    const running = { state: 'running' as const, step: 'reading', done: 0, total: 0 }
    job = running
    const target = join(dataFolder, restoredFolder)
    try {
      await rm(target, { recursive: true, force: true })
      await restoreBackup(path, target, {
        keys,
        serverName: deps.serverName,
        clock: deps.clock,
        onProgress: progress => Object.assign(running, progress),
      })
      await orderReplacing(dataFolder, deps.clock())
      job = { state: 'restarting' }
      deps.restart()
    } catch (error) {
      await rm(target, { recursive: true, force: true }).catch(() => {})
      job =
        error instanceof BackupError
          ? { state: 'failed', code: error.code, error: error.message }
          : {
              state: 'failed',
              code: 'UNEXPECTED',
              error: 'Something unexpected went wrong. Nothing was restored.',
            }
    }
  }

  return {
    isUnderWay,
    shown: async () => ({
      ...job,
      uploaded: (await readdir(uploaded).catch(() => [])).filter(name => parseBackupName(name) !== null),
      kept_aside: (await readdir(dataFolder)).find(isKeptAside) ?? null,
    }),

    upload: async ctx => {
      mustBeInMaintenance()
      const name = ctx.state.params['name']!
      if (!parseBackupName(name))
        throw invalidParam('A backup has the name under which the server wrote it: letro-….age.')
      await mkdir(uploaded, { recursive: true, mode: 0o700 })
      const part = join(uploaded, `${name}.part`)
      try {
        await pipeline(bodyPieces(ctx, null), createWriteStream(part, { mode: 0o600, flush: true }))
        await rename(part, join(uploaded, name))
      } catch (error) {
        await rm(part, { force: true })
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
          throw new MatrixError(
            507,
            'M_UNKNOWN',
            'The disk is full: the backup was not kept. Make room first.',
          )
        throw error
      }
      ctx.body = { name, bytes: (await stat(join(uploaded, name))).size }
    },

    restore: async ctx => {
      mustBeInMaintenance()
      const { body } = ctx.state
      const name = needString(body, 'backup', 200)
      if (!parseBackupName(name)) throw invalidParam('backup: the name of a file, letro-….age.')
      const folders = [uploaded, deps.backupFolder()].filter(folder => folder !== null)
      const found = []
      for (const folder of folders) if (await stat(join(folder, name)).catch(() => null)) found.push(folder)
      if (found[0] === undefined)
        throw notFound('There is no such backup, neither uploaded nor in backup.folder.')
      const passphrase = mayString(body, 'passphrase', 1024)
      const identities = mayStrings(body, 'keys') ?? []
      if (identities.length === 0 && passphrase === undefined)
        throw invalidParam(
          'With what is it opened? keys: a list of private keys (AGE-SECRET-KEY-1…), or passphrase.',
        )
      mustBeInMaintenance()
      void run(join(found[0], name), { identities, ...(passphrase === undefined ? {} : { passphrase }) })
      ctx.status = 202
      ctx.body = { state: 'running' }
    },
  }
}
