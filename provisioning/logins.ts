/**
 * Where `letro login` keeps what it got: a file of this user alone (0600), one entry a server. A token in it administers for
 * eight hours at most; `letro logout` ends it.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'

export interface Login {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string
  /** What ends it. */
  readonly id: string
  readonly userId: string
  readonly scope: 'read' | 'manage'
  readonly expiresTs: number
  /** PEM: the authority that was given with --ca. */
  readonly authority?: string
}

export function loginsFile(): string {
  const { XDG_CONFIG_HOME: config = join(homedir(), '.config') } = process.env
  return join(config, 'letro', 'logins.json')
}

/** Those that are not over. */
export async function readLogins(): Promise<readonly Login[]> {
  try {
    const logins = JSON.parse(await readFile(loginsFile(), 'utf8')) as readonly Login[]
    return logins.filter(login => login.expiresTs > Date.now())
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new CommandFailed(`${loginsFile()} cannot be read.`, exitCodes.impossible)
  }
}

/** In place of an earlier one of the same server. */
export async function keepLogin(login: Login): Promise<void> {
  await write([...(await readLogins()).filter(({ url }) => url !== login.url), login])
}

export async function dropLogin(url: string): Promise<void> {
  await write((await readLogins()).filter(login => login.url !== url))
}

/** The login of that server, or the only one there is. */
export async function loginFor(url: string | undefined): Promise<Login> {
  const logins = await readLogins()
  if (url !== undefined) {
    const found = logins.find(login => login.url === url.replace(/\/+$/, ''))
    if (found) return found
    throw new CommandFailed(`There is no login for ${url}. Begin with: letro login ${url}`, exitCodes.usage)
  }
  if (logins.length === 1) return logins[0]!
  throw new CommandFailed(
    logins.length === 0
      ? 'Which server? On its own machine give --data FOLDER; from elsewhere begin with: letro login URL'
      : `Which server? Give --server with one of: ${logins.map(login => login.url).join(', ')}`,
    exitCodes.usage,
  )
}

async function write(logins: readonly Login[]): Promise<void> {
  const file = loginsFile()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.part`, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.part`, file)
}
