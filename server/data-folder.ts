/**
 * The data folder: made once, for one server name, for this server alone (0700).
 *
 * `identity.json` says whose data it is. It is the first file that is written, marked as not ready, and marked as ready once
 * the keys are there: a first start that is cut off anywhere is simply a first start again. A name that differs from it is refused: every user id, room and message in
 * there carries the old one. (The host of `server.origin` is frozen by accounts, once a passkey exists.)
 */
import { access, constants, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerName } from './protocol/ids.ts'
import { writeDurably } from './server-keys.ts'

/** A sentence for whoever starts the server: what is wrong, and what to do. */
export class StartRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartRefused'
  }
}

export interface DataFolder {
  /** No start in it has come as far as `markReady`. */
  readonly isNew: boolean
  /** The secret with which an operator reaches maintenance when nobody can sign in. */
  readonly maintenanceToken: string
  readonly maintenanceTokenFile: string
  /** The public half of the site's root key, once it was made: the key itself must be there then. */
  readonly rootKey: string | null
}

export async function openDataFolder(
  folder: string,
  name: ServerName,
  options: { readonly clock: () => number; readonly randomBytes: (size: number) => Uint8Array },
): Promise<DataFolder> {
  await makeFolder(folder)
  const identity = await readIdentity(folder)
  if (identity === null) {
    const found = (await readdir(folder)).filter(
      entry => !entry.startsWith('.') && entry !== 'identity.json.new',
    )
    if (found.includes('restoring')) {
      throw new StartRefused(
        `A restore into server.data = ${folder} was interrupted. Run "letro backup restore" into it again: it begins anew.`,
      )
    }
    if (found.includes('store') || found.includes('keys')) {
      throw new StartRefused(
        `server.data = ${folder} holds data, but its identity.json is missing. Put it back from a backup, or write {"name": "…"} with the old server.name into it.`,
      )
    }
    if (found.length > 0) {
      throw new StartRefused(
        `server.data = ${folder} holds files that are not Letro's (${found.slice(0, 3).join(', ')}). Name an empty folder, or one that does not exist yet.`,
      )
    }
    await writeIdentity(folder, { name, createdTs: options.clock(), ready: false })
  } else if (identity.name !== name) {
    throw new StartRefused(
      `server.name = ${name}, but the data in ${folder} belongs to ${identity.name}. Under another name all its accounts, rooms and messages would be lost. Put server.name = "${identity.name}" back, or choose another folder as server.data.`,
    )
  }
  const maintenanceTokenFile = join(folder, 'maintenance.token')
  const maintenanceToken = await maintenanceTokenIn(maintenanceTokenFile, options.randomBytes)
  return {
    isNew: identity === null || !identity.ready,
    maintenanceToken,
    maintenanceTokenFile,
    rootKey: identity?.rootKey ?? null,
  }
}

/** After the keys of a new folder are there: from now on they must be. */
export async function markReady(folder: string): Promise<void> {
  const identity = await readIdentity(folder)
  if (identity) await writeIdentity(folder, { ...identity, ready: true })
}

/** After the root key is there: from now on it must be, and no other. */
export async function noteRootKey(folder: string, rootKey: string): Promise<void> {
  const identity = await readIdentity(folder)
  if (identity) await writeIdentity(folder, { ...identity, rootKey })
}

interface Identity {
  readonly name: string
  readonly createdTs?: number
  readonly ready: boolean
  readonly rootKey?: string
}

async function writeIdentity(folder: string, identity: Identity): Promise<void> {
  await writeDurably(join(folder, 'identity.json'), `${JSON.stringify(identity)}\n`)
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new StartRefused(
      `server.data = ${folder} cannot be used (${code}). Let the user who runs the server own it: chown, or name another folder.`,
      { cause: error },
    )
  }
  if (!(await stat(folder)).isDirectory()) throw new StartRefused(`server.data = ${folder} is not a folder.`)
}

async function readIdentity(folder: string): Promise<Identity | null> {
  let text: string
  try {
    text = await readFile(join(folder, 'identity.json'), 'utf8')
  } catch {
    return null
  }
  try {
    const identity = JSON.parse(text) as { name?: unknown; createdTs?: number; ready?: boolean }
    // Written by hand after a loss it has a name alone: data that has a name is ready.
    if (typeof identity.name === 'string') {
      return { ...identity, name: identity.name, ready: identity.ready !== false }
    }
  } catch {}
  throw new StartRefused(
    `${join(folder, 'identity.json')} is damaged: put it back from a backup, or write {"name": "…"} with the server's name into it.`,
  )
}

async function maintenanceTokenIn(file: string, randomBytes: (size: number) => Uint8Array): Promise<string> {
  try {
    const token = (await readFile(file, 'utf8')).trim()
    if (token.length >= 32) return token
  } catch {}
  const token = Buffer.from(randomBytes(32)).toString('base64url')
  await writeDurably(file, `${token}\n`)
  return token
}
