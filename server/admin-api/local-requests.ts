/**
 * Takes up what the command `letro` left in `<data>/requests/` (protocol/local-request.ts): at start, then every two
 * seconds.
 *
 * A request is trusted because of where it lies: only files of our own user (or root) that nobody else can write are
 * read. It is removed before it is carried out, so that none is carried out twice.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accounts } from '../accounts/accounts.ts'
import type { UserId } from '../protocol/ids.ts'
import {
  answerFile,
  type LocalAnswer,
  type LocalRequest,
  parseLocalRequest,
  requestFile,
  requestIdOf,
  requestsFolder,
} from '../protocol/local-request.ts'

export interface LocalRequestsDeps {
  readonly accounts: Accounts
  /** `server.data`. */
  readonly data: string
  readonly clock: () => number
  readonly report: (message: string, cause?: unknown) => void
  readonly everyMs?: number
}

export interface LocalRequests {
  close(): Promise<void>
}

const dayMs = 24 * 60 * 60 * 1000

export async function watchLocalRequests(deps: LocalRequestsDeps): Promise<LocalRequests> {
  const folder = join(deps.data, requestsFolder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  let running = takeAll(deps, folder)
  await running
  const timer = setInterval(() => {
    running = running.then(() => takeAll(deps, folder))
  }, deps.everyMs ?? 2000)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      await running
    },
  }
}

async function takeAll(deps: LocalRequestsDeps, folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      const id = requestIdOf(name)
      if (id) await take(deps, folder, id)
      else await removeIfOld(deps, join(folder, name))
    }
  } catch (error) {
    deps.report('local requests could not be read', error)
  }
}

async function take(deps: LocalRequestsDeps, folder: string, id: string): Promise<void> {
  const path = join(folder, requestFile(id))
  const request = (await isTrusted(path)) ? parseLocalRequest(await readFile(path, 'utf8')) : null
  await rm(path)
  if (!request || deps.clock() - request.createdTs > dayMs) {
    deps.report('a local request was not understood, too old, or others could write it: it was removed')
    return
  }
  const answer = await carryOut(deps, request).catch((error: unknown): LocalAnswer => {
    return { ok: false, error: error instanceof Error ? error.message : 'It failed.' }
  })
  await writeWhole(join(folder, answerFile(id)), JSON.stringify(answer))
}

async function carryOut({ accounts }: LocalRequestsDeps, request: LocalRequest): Promise<LocalAnswer> {
  const userId = request.userId ?? (await onlyAdministrator(accounts))
  const link = await accounts.enrolment.recoverAdministrator(userId, request.secretHash)
  return { ok: true, userId, origin: accounts.passkeys.origin, expiresTs: link.expiresTs }
}

async function onlyAdministrator(accounts: Accounts): Promise<UserId> {
  const administrators = await accounts.people.administrators()
  if (administrators.length === 1) return administrators[0]!
  throw new Error(
    administrators.length === 0
      ? 'There is no administrator yet: the server prints an enrolment link for the first one when it starts.'
      : `There are several administrators; name one with --user: ${administrators.join(', ')}`,
  )
}

async function isTrusted(path: string): Promise<boolean> {
  const { uid, mode, size } = await stat(path)
  const ours = process.getuid?.()
  const owner = ours === undefined || uid === ours || uid === 0
  return owner && (process.platform === 'win32' || (mode & 0o022) === 0) && size < 64 * 1024
}

/** Answers that nobody fetched, and what a crash left half written. */
async function removeIfOld(deps: LocalRequestsDeps, path: string): Promise<void> {
  // The command fetches its answer whenever it likes.
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found && deps.clock() - found.mtimeMs > dayMs) await rm(path, { force: true })
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.part`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
}
