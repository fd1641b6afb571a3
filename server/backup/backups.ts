/**
 * The backups of a running server: nightly, when asked, and pulled. One at a time.
 *
 * A night's work is two steps, each of which can be repeated: a backup is written into the folder; what the other
 * machine does not have yet is copied there. So a copy that failed is made up for without a second backup. It counts as
 * done when both are.
 */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { StoreExport } from '../store/export.ts'
import { BackupError } from './backup-error.ts'
import { backupsIn, inWords, paced, removeParts } from './backup-file.ts'
import { type BackupRecord, readRecord, type WrittenBackup, writeRecord } from './backup-record.ts'
import { copyAway } from './copy-away.ts'
import { stagingFolder } from './data-files.ts'
import { backupName, newChain, parseBackupName } from './names.ts'
import { dueAt } from './nightly.ts'
import { ownSshKey } from './own-ssh-key.ts'
import { type ForWhom, forWhom, keepRecipients, type RecipientSettings } from './recipients.ts'
import { seal } from './seal.ts'
import type { SftpPlace } from './sftp.ts'
import { type BackupProgress, type BackupSource, backupBytes, newBackupId } from './write-backup.ts'
import { sourceFailed, writeIntoFolder } from './write-into-folder.ts'

export interface BackupSettings extends RecipientSettings {
  /** null: none; with `sftp` backups then wait in the data folder for their way. */
  readonly folder: string | null
  readonly sftp: SftpPlace | null
  /** Minutes after midnight, by the server's clock. */
  readonly nightlyAt: number
  /** How many chains stay. */
  readonly keepChains: number
  readonly fullEveryDays: number
  readonly bytesPerSecond: number
}

export interface BackupsDeps extends Omit<BackupSource, 'rows'> {
  readonly exportRows: () => Promise<StoreExport>
  readonly settings: BackupSettings
  readonly clock: () => number
  readonly report: (message: string, fields: Readonly<Record<string, string>>) => void
}

export interface BackupStatus extends BackupRecord {
  readonly running?: BackupProgress & { readonly sinceTs: number }
  /** Nobody said for whom to encrypt: nothing can be backed up. */
  readonly encryptedFor: readonly string[] | 'passphrase' | null
  readonly folder: string | null
  readonly sftp: string | null
  /** What lets this server in there, where its key is its own: for authorized_keys. */
  readonly sftpPublicKey: string | null
  /** When the next night's is due; null: none is made by itself. */
  readonly nextTs: number | null
}

const dayMs = 24 * 60 * 60 * 1000

export class Backups {
  readonly #deps: BackupsDeps
  readonly #stop = new AbortController()
  #record: BackupRecord
  #running: { readonly sinceTs: number; progress: BackupProgress; readonly done: Promise<unknown> } | null =
    null

  constructor(deps: BackupsDeps, record: BackupRecord) {
    this.#deps = deps
    this.#record = record
  }

  static async open(deps: BackupsDeps): Promise<Backups> {
    const record = await readRecord(deps.dataFolder, deps.clock())
    return new Backups(deps, record)
  }

  async status(): Promise<BackupStatus> {
    const { settings, dataFolder, clock } = this.#deps
    const whom = await forWhom(dataFolder, settings).catch(() => null)
    const { sftp } = settings
    const isOwnKey = sftp !== null && sftp.keyFile === null
    // Where it cannot be made, the copy says why.
    const ownKey = isOwnKey ? await ownSshKey(dataFolder).catch(() => null) : null
    return {
      ...this.#record,
      ...(this.#running ? { running: { ...this.#running.progress, sinceTs: this.#running.sinceTs } } : {}),
      encryptedFor: whom === null ? null : whom.passphrase === undefined ? whom.recipients : 'passphrase',
      folder: this.folder,
      sftp: sftp ? `${sftp.user}@${sftp.host}:${sftp.port}` : null,
      sftpPublicKey: ownKey?.publicKey ?? null,
      nextTs: whom !== null && this.isNightly ? dueAt(settings.nightlyAt, this.#record, clock()) : null,
    }
  }

  /** There is somewhere to put them. */
  get isNightly(): boolean {
    return this.folder !== null
  }

  get folder(): string | null {
    const { settings, dataFolder } = this.#deps
    return settings.folder ?? (settings.sftp ? join(dataFolder, stagingFolder) : null)
  }

  /** What the nightly duty calls, as often as it likes. */
  async runIfDue(now: number): Promise<void> {
    const { settings, dataFolder, report } = this.#deps
    if (!this.isNightly || this.#running || now < dueAt(settings.nightlyAt, this.#record, now)) return
    if ((await forWhom(dataFolder, settings).catch(() => null)) === null) return
    const { written, success } = this.#record
    const isOnlyCopy = written !== undefined && written.name !== success?.name && now - written.ts < dayMs / 2
    await this.#alone(() => this.#work(isOnlyCopy ? written : null)).catch((error: unknown) => {
      // The finding says it to people; it is tried again within the hour.
      report('the nightly backup failed', { code: error instanceof BackupError ? error.code : 'UNEXPECTED' })
    })
  }

  /** Rejects with BackupError, or whatever made it impossible. */
  run(): Promise<WrittenBackup> {
    return this.#alone(() => this.#work(null))
  }

  /** A full backup as a stream, for whoever fetches it. It counts once all of it was taken. */
  async pull(): Promise<{ readonly name: string; readonly bytes: AsyncGenerator<Buffer> }> {
    const whom = await this.#forWhom()
    const { serverName, clock } = this.#deps
    const name = backupName(newChain(serverName, clock()), 0)
    if (this.#running) throw alreadyRunning()
    return { name, bytes: this.#pulled(name, whom) }
  }

  /** The place of a backup that lies in the folder; null: there is none of that name. */
  async file(name: string): Promise<string | null> {
    if (this.folder === null || !parseBackupName(name)) return null
    const path = join(this.folder, name)
    return stat(path).then(
      () => path,
      () => null,
    )
  }

  async list(): Promise<{ readonly name: string; readonly bytes: number }[]> {
    if (this.folder === null) return []
    const names = await backupsIn(this.folder)
    return Promise.all(
      names.map(async ({ name }) => ({ name, bytes: (await stat(join(this.folder!, name))).size })),
    )
  }

  /** Whether `run` could begin now: what is missing is said at once. */
  async requireReady(): Promise<void> {
    if (this.#running) throw alreadyRunning()
    await this.#forWhom()
    this.#requireFolder()
  }

  /** The configuration has the last word about who opens backups. */
  requireRecipientsFree(): void {
    const { recipients, passphraseFile } = this.#deps.settings
    if (recipients.length === 0 && passphraseFile === null) return
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      'letro.toml says already for whom backups are encrypted (backup.recipients or backup.passphrase_file). Change it there.',
    )
  }

  /** The public halves of the keys that will open backups from now on. The next backup is a full one. */
  keepRecipients(recipients: readonly string[]): Promise<void> {
    return keepRecipients(this.#deps.dataFolder, recipients)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    // Who fetches one slowly does not keep the server from stopping.
    await Promise.race([this.#running?.done.catch(() => {}), pause(2_000, undefined, { ref: false })])
  }

  // ── one at a time ──────────────────────────────────────────────────────────────────────────────────

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running) throw alreadyRunning()
    const done = work()
    this.#running = { sinceTs: this.#deps.clock(), progress: { step: 'rows', bytes: 0 }, done }
    try {
      return await done
    } catch (error) {
      await this.#failed(error)
      throw error
    } finally {
      this.#running = null
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (error instanceof BackupError && error.code === 'BACKUP_ABANDONED') return
    const failure =
      error instanceof BackupError
        ? { code: error.code, message: error.message }
        : { code: 'UNEXPECTED' as const, message: 'Something unexpected went wrong; the log says more.' }
    await this.#remember({ failure: { ts: this.#deps.clock(), ...failure } })
  }

  /** A disk that is full must not hide what went wrong. */
  async #remember(change: Partial<BackupRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change }
    await writeRecord(this.#deps.dataFolder, this.#record).catch(() => {})
  }

  async #succeeded(
    done: WrittenBackup,
    places: NonNullable<BackupRecord['success']>['places'],
  ): Promise<void> {
    const { failure: _, ...rest } = this.#record
    this.#record = rest
    await this.#remember({ success: { ...done, places } })
  }

  readonly #onProgress = (progress: BackupProgress): void => {
    if (this.#running) this.#running.progress = progress
  }

  // ── the two steps ──────────────────────────────────────────────────────────────────────────────────

  /** `written`: a backup that only has to be copied. */
  async #work(written: WrittenBackup | null): Promise<WrittenBackup> {
    const { settings } = this.#deps
    const whom = await this.#forWhom()
    const folder = this.#requireFolder()
    await this.#prepareFolder(folder)
    const how = { signal: this.#stop.signal, onProgress: this.#onProgress }
    const done = written ?? (await writeIntoFolder(this.#deps, folder, whom, how))
    if (!written) await this.#remember({ written: done })
    if (settings.sftp) await copyAway(this.#deps, folder, settings.sftp, this.#stop.signal)
    const places = [
      ...(settings.folder === null ? [] : (['folder'] as const)),
      ...(settings.sftp ? (['sftp'] as const) : []),
    ]
    await this.#succeeded(done, places)
    return done
  }

  #requireFolder(): string {
    if (this.folder !== null) return this.folder
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      'There is nowhere to put a backup: set backup.folder or backup.sftp in letro.toml, or fetch one with letro backup create --out FILE.',
    )
  }

  async #forWhom(): Promise<ForWhom> {
    const whom = await forWhom(this.#deps.dataFolder, this.#deps.settings)
    if (whom) return whom
    throw new BackupError(
      'BACKUP_NOT_CONFIGURED',
      'Nobody said for whom to encrypt. Make a key with letro backup key, and keep its private half away from this server.',
    )
  }

  /** A configured folder must be there: where its disk is not mounted, a new one would fill the wrong disk. */
  async #prepareFolder(folder: string): Promise<void> {
    if (this.#deps.settings.folder === null) await mkdir(folder, { recursive: true, mode: 0o700 })
    await removeParts(folder).catch(async error => {
      throw await inWords(folder, error)
    })
  }

  async *#pulled(name: string, whom: ForWhom): AsyncGenerator<Buffer> {
    if (this.#running) throw alreadyRunning()
    const { clock, exportRows, settings } = this.#deps
    const ended = Promise.withResolvers<void>()
    this.#running = { sinceTs: clock(), progress: { step: 'rows', bytes: 0 }, done: ended.promise }
    let rows: StoreExport | undefined
    try {
      rows = await exportRows()
      const now = clock()
      const plain = backupBytes(
        { ...this.#deps, rows },
        { id: newBackupId(), now, onProgress: this.#onProgress },
      )
      let bytes = 0
      for await (const piece of seal(paced(plain, settings.bytesPerSecond, this.#stop.signal), whom)) {
        bytes += piece.length
        yield piece
      }
      await this.#succeeded({ ts: now, name, bytes, full: true }, ['pulled'])
    } catch (error) {
      await this.#failed(sourceFailed(error))
      throw error
    } finally {
      await rows?.close()
      this.#running = null
      ended.resolve()
    }
  }
}

function alreadyRunning(): BackupError {
  return new BackupError('BACKUP_RUNNING', 'A backup is being made already. Look with: letro backup status')
}
