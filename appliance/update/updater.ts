/**
 * The updater's acts: check a file, apply it, restart for it. One at a time.
 *
 * Files come from the spool (which the server writes) or from a stick, by name, and from nowhere else.
 */
import { basename, dirname } from 'node:path'
import type { UpdateStatus, UpdateStep, UpdateUnderway } from '#protocol/update-status.ts'
import { applyUpdate, removeOtherImages, requireRunningImage } from './apply-update.ts'
import { isOnTrial } from './esp.ts'
import { requireFits, requireRoom } from './fits.ts'
import { readPartitions } from './gpt.ts'
import type { Machine } from './machine.ts'
import type { Manifest } from './manifest.ts'
import type { Release } from './release.ts'
import { settleApplied, settleWriting } from './settle.ts'
import { findSlots, type Slots } from './slots.ts'
import { asUpdateError, UpdateError } from './update-error.ts'
import { UpdateFile } from './update-file.ts'
import type { TrustedKeys } from './update-keys.ts'
import { readRecord, type UpdateRecord, withEvent, writeRecord } from './update-record.ts'
import type { Version } from './version.ts'
import { isWithin, type RestartWindow } from './window.ts'

export interface UpdaterDeps {
  readonly machine: Machine
  readonly release: Release
  readonly trusted: TrustedKeys
  /** Where update.json is. */
  readonly recordFile: string
  /** The folders from which files are taken; the first is the spool. */
  readonly folders: readonly [string, ...string[]]
  readonly clock: () => number
  readonly report: (message: string, cause?: unknown) => void
}

type At = (step: UpdateStep, bytes: number, of: number) => void

export class Updater {
  readonly #deps: UpdaterDeps
  /** Changes of the record, one after the other. It is read anew each time: the data disk may be opened after our start. */
  #keeping: Promise<unknown> = Promise.resolve()
  #underway: UpdateUnderway | null = null
  /** An act waits for it: both remove kernel images. */
  #looking: Promise<void> = Promise.resolve()
  #slotsFound: Slots | null = null

  private constructor(deps: UpdaterDeps) {
    this.#deps = deps
  }

  static async open(deps: UpdaterDeps): Promise<Updater> {
    const updater = new Updater(deps)
    await updater.look()
    return updater
  }

  async status(): Promise<UpdateStatus> {
    const { machine, release, folders } = this.#deps
    const slots = await this.#slots().catch(() => null)
    const files = await machine.esp.list().catch(() => [])
    const { window, applied, wentBack, events } = await this.#record()
    const { version, counter, architecture } = release
    const isWaiting = applied !== null && applied.version !== version
    return {
      running: { version, counter, architecture },
      slot: slots?.running ?? null,
      on_trial: isOnTrial(files, version),
      window,
      waiting: isWaiting ? { version: applied.version, ts: applied.ts } : null,
      went_back: wentBack,
      underway: this.#underway,
      events,
      spool: folders[0],
    }
  }

  /** Changes nothing. Throws UpdateError. */
  check(path: string, progress: (underway: UpdateUnderway) => void): Promise<Manifest> {
    return this.#alone('check', progress, async at => {
      const file = await this.#openFitting(path)
      try {
        await file.verify((bytes, of) => at('check', bytes, of))
        return file.manifest
      } finally {
        await file.close()
      }
    })
  }

  /** From its return on, the next start is the new version. Throws UpdateError. */
  apply(path: string, progress: (underway: UpdateUnderway) => void): Promise<Manifest> {
    return this.#alone('apply', progress, async at => {
      const file = await this.#openFitting(path)
      try {
        await file.verify((bytes, of) => at('check', bytes, of))
        await this.#write(file, at)
        return file.manifest
      } finally {
        await file.close()
      }
    })
  }

  /** null: the machine never restarts by itself. */
  setWindow(window: RestartWindow | null): Promise<void> {
    return this.#keep(record => ({ ...record, window }))
  }

  /** Throws UPDATE_NOT_APPLIED where no update waits for it. */
  async restartNow(): Promise<void> {
    if (this.#underway) throw busy()
    const { applied } = await this.#record()
    if (!applied || applied.version === this.#deps.release.version) {
      throw new UpdateError('UPDATE_NOT_APPLIED', 'No update waits for a restart.')
    }
    // Stored first: a version that keeps failing must not have us restart the machine again and again.
    await this.#keep(record => ({ ...record, applied: { ...applied, restarted: true } }))
    await this.#deps.machine.restart()
  }

  /** To be called now and then: what became of the last update, and is it time to restart? */
  look(): Promise<void> {
    if (!this.#underway) this.#looking = this.#looking.then(() => this.#look())
    return this.#looking
  }

  async #look(): Promise<void> {
    const { machine, release, clock, report } = this.#deps
    try {
      const before = await this.#record()
      const facts = { machine, release: release.version, now: clock() }
      const settled = await settleApplied(await settleWriting(before, facts), facts)
      // Acts wait for this look; the window alone can change meanwhile.
      if (settled !== before) await this.#keep(({ window }) => ({ ...settled, window }))
      const { applied, window } = await this.#record()
      if (!applied || applied.restarted || applied.version === release.version || !window) return
      if (!this.#underway && isWithin(window, new Date(clock()))) await this.restartNow()
    } catch (error) {
      report('the state of updates could not be looked at', error)
    }
  }

  async #write(file: UpdateFile, at: At): Promise<void> {
    const { machine, release, clock } = this.#deps
    const { version, counter } = file.manifest
    const slots = await this.#slots()
    const bootId = await machine.bootId()
    // The counter first; and what waited in the other slot is about to go.
    await this.#keep(record => ({
      ...record,
      counter: Math.max(counter, record.counter),
      writing: { version, ts: clock() },
      applied: null,
    }))
    try {
      await applyUpdate(file, slots, release.version, machine, at)
      const applied = { version, ts: clock(), bootId, restarted: false }
      await this.#keep(record =>
        withEvent(
          { ...record, writing: null, applied, wentBack: null },
          { ts: clock(), kind: 'applied', version },
        ),
      )
    } catch (error) {
      // It may have failed with all of it written. What cannot be removed now is removed by the next look.
      await removeOtherImages(machine.esp, release.version)
        .then(() => this.#keep(record => ({ ...record, writing: null })))
        .catch(() => {})
      throw error
    }
  }

  async #openFitting(path: string): Promise<UpdateFile> {
    const { folders, trusted, release, machine } = this.#deps
    if (!folders.includes(dirname(path)) || !/^[A-Za-z0-9][\w.+-]{0,200}$/.test(basename(path))) {
      throw new UpdateError(
        'UPDATE_BAD_REQUEST',
        `Updates are taken from ${folders.join(' and ')} alone, and their names have letters, digits, dots and dashes. Nothing was changed.`,
      )
    }
    const file = await UpdateFile.open(path, trusted)
    try {
      const { manifest } = file
      requireFits(manifest, release, (await this.#record()).counter)
      const files = await machine.esp.list()
      requireRunningImage(files, release.version)
      if (isOnTrial(files, release.version)) throw onTrial(release.version)
      const { root, verity } = await this.#slots()
      const removable = files
        .filter(file => file.version !== release.version)
        .reduce((sum, file) => sum + file.size, 0)
      requireRoom(manifest, {
        rootBytes: root.size,
        verityBytes: verity.size,
        espBytes: (await machine.esp.freeBytes()) + removable,
      })
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async #slots(): Promise<Slots> {
    if (this.#slotsFound) return this.#slotsFound
    const { machine } = this.#deps
    const disk = await machine.openDisk('read')
    try {
      this.#slotsFound = findSlots(await readPartitions(disk), await machine.runningPartitions())
      return this.#slotsFound
    } finally {
      await disk.close()
    }
  }

  async #alone<T>(
    act: UpdateUnderway['act'],
    progress: (underway: UpdateUnderway) => void,
    work: (at: At) => Promise<T>,
  ): Promise<T> {
    if (this.#underway) throw busy()
    this.#underway = { act, step: 'check', bytes: 0, of: 1 }
    try {
      await this.#looking
      return await work((step, bytes, of) => {
        this.#underway = { act, step, bytes, of }
        progress(this.#underway)
      })
    } catch (error) {
      const failure = asUpdateError(error)
      if (failure !== error) this.#deps.report('an update failed', error)
      await this.#note(failure)
      throw failure
    } finally {
      this.#underway = null
    }
  }

  async #note({ code, message }: UpdateError): Promise<void> {
    const event = { ts: this.#deps.clock(), kind: 'refused', code, sentence: message } as const
    try {
      await this.#keep(record => withEvent(record, event))
    } catch (error) {
      // A full disk, mostly. Whoever asked is told in any case.
      this.#deps.report('a refused update could not be noted', error)
    }
  }

  /** On the disk when it returns. */
  #keep(change: (record: UpdateRecord) => UpdateRecord): Promise<void> {
    const kept = this.#keeping.then(async () => {
      await writeRecord(this.#deps.recordFile, change(await this.#record()))
    })
    this.#keeping = kept.catch(() => {})
    return kept
  }

  #record(): Promise<UpdateRecord> {
    return readRecord(this.#deps.recordFile)
  }
}

function busy(): UpdateError {
  return new UpdateError(
    'UPDATE_BUSY',
    'Another update is being checked or written. Wait until that is done.',
  )
}

function onTrial(version: Version): UpdateError {
  return new UpdateError(
    'UPDATE_ON_TRIAL',
    `${version} has only just started and has not yet shown that it works; until then the other slot is what this machine can go back to. Nothing was changed. Try again in a few minutes.`,
  )
}
