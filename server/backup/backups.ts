/**
 * The backups of a running server: nightly, when asked, and pulled. One at a time.
 *
 * A night's work is two steps, each of which can be repeated: a backup is written into the folder; what the other
 * machine does not have yet is copied there. So a copy that failed is made up for without a second backup. It counts as
 * done when both are.
 */
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { StoreExport } from '../store/export.ts'
import { BackupError } from './backup-error.ts'
import { backupsIn, inWords, paced, removeParts, writeBackupFile } from './backup-file.ts'
import { type BackupRecord, readRecord, type WrittenBackup, writeRecord } from './backup-record.ts'
import { type ChainHead, ChainNotesWriter, readChainNotes } from './chain-notes.ts'
import { stagingFolder } from './data-files.ts'
import { type BackupName, backupName, newChain, parseBackupName, surplus } from './names.ts'
import { dueAt } from './nightly.ts'
import { type ForWhom, forWhom, keepRecipients, type RecipientSettings } from './recipients.ts'
import { seal } from './seal.ts'
import { listBySftp, putBySftp, removeBySftp, type SftpPlace } from './sftp.ts'
import { type BackupProgress, type BackupSource, backupBytes, newBackupId } from './write-backup.ts'

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
    return {
      ...this.#record,
      ...(this.#running ? { running: { ...this.#running.progress, sinceTs: this.#running.sinceTs } } : {}),
      encryptedFor: whom === null ? null : whom.passphrase === undefined ? whom.recipients : 'passphrase',
      folder: this.folder,
      sftp: sftp ? `${sftp.user}@${sftp.host}:${sftp.port}` : null,
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
    const done = written ?? (await this.#write(folder, whom))
    if (settings.sftp) await this.#copy(folder, settings.sftp)
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

  async #write(folder: string, whom: ForWhom): Promise<WrittenBackup> {
    const { dataFolder, settings, clock, exportRows } = this.#deps
    const there = await this.#known(folder)
    const rows = await exportRows().catch(error => {
      throw sourceFailed(error)
    })
    const notes = await readChainNotes(dataFolder)
    let kept: ChainNotesWriter | null = null
    try {
      const now = clock()
      const earlier = notes && this.#continues(notes.head, there, whom, rows.epoch, now) ? notes : null
      const head = headOf(earlier?.head ?? null, {
        there,
        whom,
        epoch: rows.epoch,
        now,
        serverName: this.#deps.serverName,
      })
      kept = await ChainNotesWriter.begin(dataFolder, head).catch(async error => {
        throw await inWords(dataFolder, error)
      })
      const plain = backupBytes(
        { ...this.#deps, rows },
        {
          id: head.id,
          now,
          notes: kept,
          onProgress: this.#onProgress,
          ...(earlier
            ? {
                earlier: {
                  id: earlier.head.id,
                  name: earlier.head.name,
                  hasRows: earlier.hasRows,
                  hasMedia: earlier.hasMedia,
                },
              }
            : {}),
        },
      )
      const pace = paced(plain, settings.bytesPerSecond, this.#stop.signal)
      const bytes = await writeBackupFile(folder, head.name, seal(pace, whom))
      await kept.keep()
      kept = null
      const written = { ts: now, name: head.name, bytes, full: earlier === null }
      await this.#remember({ written })
      for (const { name } of surplus(await backupsIn(folder), settings.keepChains))
        await rm(join(folder, name), { force: true })
      return written
    } catch (error) {
      throw sourceFailed(error)
    } finally {
      await kept?.discard()
      notes?.close()
      await rows.close()
    }
  }

  /** What can be built on: in the folder, or, where that is only for the way, on the other machine. */
  async #known(folder: string): Promise<BackupName[]> {
    const { settings, dataFolder } = this.#deps
    const here = await backupsIn(folder)
    if (settings.folder !== null || !settings.sftp) return here
    // It may be away: then the next one is a full one, and is copied when it is back.
    const away = await listBySftp(settings.sftp, dataFolder, this.#stop.signal).catch(() => [])
    return [...here, ...away]
  }

  #continues(
    head: ChainHead,
    there: readonly BackupName[],
    whom: ForWhom,
    epoch: number,
    now: number,
  ): boolean {
    return (
      there.some(({ name }) => name === head.name) &&
      head.recipients === whom.digest &&
      head.epoch === epoch &&
      now >= head.fullTs &&
      now - head.fullTs < this.#deps.settings.fullEveryDays * dayMs &&
      head.number < 998
    )
  }

  async #copy(folder: string, place: SftpPlace): Promise<void> {
    const { settings, dataFolder } = this.#deps
    const { signal } = this.#stop
    const away = await listBySftp(place, dataFolder, signal)
    const has = new Set(away.map(({ name }) => name))
    const here = await backupsIn(folder)
    // Older chains that are gone there were removed there.
    const oldest = away[0]?.chain ?? ''
    for (const backup of here) {
      if (has.has(backup.name) || backup.chain < oldest) continue
      await putBySftp(place, dataFolder, folder, backup.name, signal)
      away.push(backup)
    }
    const going = surplus(away, settings.keepChains).map(({ name }) => name)
    await removeBySftp(place, dataFolder, going, signal)
    if (settings.folder === null) for (const { name } of here) await rm(join(folder, name), { force: true })
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

interface NewHead {
  readonly there: readonly BackupName[]
  readonly whom: ForWhom
  readonly epoch: number
  readonly now: number
  readonly serverName: string
}

function headOf(before: ChainHead | null, { there, whom, epoch, now, serverName }: NewHead): ChainHead {
  const chain = before?.chain ?? newChain(serverName, now)
  // A number that is taken stays taken, even where that backup is not built on.
  const taken = there.filter(backup => backup.chain === chain).map(({ number }) => number)
  const number = before === null ? 0 : Math.max(before.number, ...taken) + 1
  const id = newBackupId()
  const fullTs = before?.fullTs ?? now
  return { id, name: backupName(chain, number), chain, number, fullTs, epoch, recipients: whom.digest }
}

function alreadyRunning(): BackupError {
  return new BackupError('BACKUP_RUNNING', 'A backup is being made already. Look with: letro backup status')
}

/** The store says in its own codes why it cannot be read. */
function sourceFailed(error: unknown): unknown {
  if (error instanceof BackupError || !(error instanceof Error) || error.name !== 'StoreError') return error
  return new BackupError(
    'BACKUP_SOURCE',
    `The server's own data cannot be backed up now: ${error.message}. Look with: letro status`,
    { cause: error },
  )
}
