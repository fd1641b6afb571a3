/**
 * Updates of the appliance, as its server sees them: an upload goes to the updater's spool, the updater checks and applies.
 *
 * The server is not trusted with anything here: the updater verifies each file itself, each time. One upload is kept at a
 * time, and none over a restart of the server: what lies in the spool is then removed with the next upload.
 */
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { UpdateStatus } from '../protocol/update-status.ts'
import { UpdateRefused } from './update-refused.ts'
import { type UpdateDescription, UpdaterConnection } from './updater-connection.ts'

/** More than any update: root filesystem, verity tree and kernel image of the largest slot. */
export const maxUpdateBytes = 1200 * 1024 * 1024
/** What other writes of the server are left. */
const keptFreeBytes = 64 * 1024 * 1024

export interface UpdatesStatus extends UpdateStatus {
  /** On its way here. */
  readonly upload: { readonly bytes: number; readonly of: number | null } | null
  /** Here, and checked. */
  readonly uploaded: UpdateDescription | null
}

export interface UpdatesDeps {
  /** The updater's; null: this is no appliance. */
  readonly socket: string | null
  readonly report: (message: string, cause?: unknown) => void
}

export class Updates {
  readonly #updater: UpdaterConnection | null
  readonly #report: UpdatesDeps['report']
  #upload: UpdatesStatus['upload'] = null
  #uploaded: UpdateDescription | null = null
  #isApplying = false

  constructor({ socket, report }: UpdatesDeps) {
    this.#updater = socket === null ? null : new UpdaterConnection(socket)
    this.#report = report
  }

  get isHere(): boolean {
    return this.#updater !== null
  }

  async status(): Promise<UpdatesStatus> {
    const status = await this.#required().status()
    return { ...status, upload: this.#upload, uploaded: this.#uploaded }
  }

  /** It is in the spool, synced, and the updater has found nothing wrong. Else nothing of it is left. */
  async upload(body: AsyncIterable<Uint8Array>, announcedBytes: number | null): Promise<UpdateDescription> {
    const updater = this.#required()
    if (this.#upload || this.#isApplying) throw busy()
    this.#upload = { bytes: 0, of: announcedBytes }
    try {
      const { spool, underway } = await updater.status()
      if (underway) throw busy()
      this.#uploaded = null
      await empty(spool)
      await requireSpace(spool, announcedBytes)
      const file = fileIn(spool)
      try {
        await this.#receive(body, file, announcedBytes)
        this.#uploaded = await updater.check(file)
        return this.#uploaded
      } catch (error) {
        await empty(spool)
        throw error
      }
    } finally {
      this.#upload = null
    }
  }

  /** Returns once it has begun. @param version the one that the administrator saw; @param ended told once, never rejects */
  async apply(version: string, ended: (failure: UpdateRefused | null) => Promise<void>): Promise<void> {
    const updater = this.#required()
    if (this.#upload || this.#isApplying) throw busy()
    if (this.#uploaded?.version !== version) {
      throw new UpdateRefused(
        'UPDATE_NOT_UPLOADED',
        `There is no uploaded update ${version}. Upload the file, look at what it is, then apply it.`,
      )
    }
    this.#isApplying = true
    try {
      const { spool, underway } = await updater.status()
      if (underway) throw busy()
      void this.#applying(updater, spool, ended)
    } catch (error) {
      this.#isApplying = false
      throw error
    }
  }

  setWindow(window: string | null): Promise<void> {
    return this.#required().restartAt(window)
  }

  restart(): Promise<void> {
    return this.#required().restartAt('now')
  }

  async #applying(
    updater: UpdaterConnection,
    spool: string,
    ended: (failure: UpdateRefused | null) => Promise<void>,
  ): Promise<void> {
    let failure: UpdateRefused | null = null
    try {
      await updater.apply(fileIn(spool))
      this.#uploaded = null
      await empty(spool)
    } catch (error) {
      failure = error instanceof UpdateRefused ? error : null
      if (!failure) this.#report('an uploaded update could not be removed', error)
    }
    this.#isApplying = false
    await ended(failure).catch((error: unknown) =>
      this.#report('the end of an update is not in the audit', error),
    )
  }

  async #receive(body: AsyncIterable<Uint8Array>, file: string, announced: number | null): Promise<void> {
    const out = await open(`${file}.part`, 'wx', 0o600)
    try {
      let bytes = 0
      for await (const piece of body) {
        bytes += piece.length
        if (bytes > maxUpdateBytes) throw tooLarge()
        await out.writeFile(piece)
        this.#upload = { bytes, of: announced }
      }
      await out.sync()
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? noSpace(error) : error
    } finally {
      await out.close()
    }
    await rename(`${file}.part`, file)
  }

  #required(): UpdaterConnection {
    if (this.#updater) return this.#updater
    throw new UpdateRefused(
      'UPDATE_NOT_HERE',
      'This server is not an appliance: it is updated by whoever installed it, with the means of that machine.',
    )
  }
}

function fileIn(spool: string): string {
  return join(spool, 'uploaded.update')
}

/** The spool is ours alone. */
async function empty(spool: string): Promise<void> {
  await mkdir(spool, { recursive: true, mode: 0o700 })
  for (const name of await readdir(spool)) await rm(join(spool, name), { recursive: true, force: true })
}

async function requireSpace(spool: string, announcedBytes: number | null): Promise<void> {
  if (announcedBytes !== null && announcedBytes > maxUpdateBytes) throw tooLarge()
  const { bavail, bsize } = await statfs(spool)
  if (bavail * bsize < (announcedBytes ?? 0) + keptFreeBytes) throw noSpace()
}

function busy(): UpdateRefused {
  return new UpdateRefused(
    'UPDATE_BUSY',
    'Another update is being uploaded, checked or written. Wait until that is done.',
  )
}

function tooLarge(): UpdateRefused {
  return new UpdateRefused(
    'UPDATE_NOT_ONE',
    `This file is larger than any update of Letro (${maxUpdateBytes} bytes). Nothing was changed.`,
  )
}

function noSpace(cause?: unknown): UpdateRefused {
  return new UpdateRefused(
    'UPDATE_NO_SPACE',
    'The data disk has no room for the update file. Nothing was changed. Make room, or bring the file on a stick.',
    { cause },
  )
}
