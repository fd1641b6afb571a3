/**
 * The way to a running server that answers whatever state its data is in (server/maintenance.ts): with the token that
 * lies in its data folder, on its own machine by the socket there, over the network with a copy of that token, or with the code
 * that the console of an appliance shows. A login does not do: who administers stands in the store, and the store may be
 * what is damaged.
 */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { readAuthority, serverAddress } from './server-address.ts'
import { byHttps, bySocket, connectionBy, type ServerConnection, type Way } from './server-connection.ts'
import { ask, print } from './terminal.ts'

export interface MaintenanceOptions {
  readonly data?: string
  readonly server?: string
  readonly tokenFile?: string
  readonly ca?: string
  readonly json?: boolean
}

const tokenFileName = 'maintenance.token'

export const tokenFileWords = `a copy of ${tokenFileName} from its data folder, or the code that an appliance's console shows; - reads it from the standard input (default: you are asked)`

export function withMaintenance(command: Command): Command {
  return command
    .option('--server <url>', 'a running server, over the network')
    .option('--token-file <file>', `with --server: ${tokenFileWords}`)
    .option(
      '--ca <file>',
      "the authority of the server's certificate (PEM), where this machine does not know it",
    )
    .option('--json', 'answer in JSON, for scripts')
}

export async function connectMaintenance(options: MaintenanceOptions): Promise<ServerConnection> {
  const { data, server, tokenFile } = options
  if ((data === undefined) === (server === undefined))
    throw new CommandFailed(
      'Which server? On its own machine give --data FOLDER; from elsewhere --server URL.',
      exitCodes.usage,
    )
  if (data !== undefined)
    return bySocketOf(resolve(data), await tokenIn(tokenFile ?? join(data, tokenFileName)))
  const url = serverAddress(server!)
  const authority = options.ca === undefined ? {} : { authority: await readAuthority(options.ca) }
  const token = tokenFile === undefined ? await askToken(url) : await tokenIn(tokenFile)
  return connectionBy(maintenance(byHttps({ url, token, ...authority })))
}

/** The same words again, for the next command. */
export function placeText({ data, server, tokenFile }: MaintenanceOptions): string {
  if (data !== undefined) return `--data ${data}`
  return `--server ${server}${tokenFile === undefined ? '' : ` --token-file ${tokenFile}`}`
}

function bySocketOf(data: string, token: string): ServerConnection {
  const way = bySocket(data)
  return connectionBy(
    maintenance({
      ...way,
      open: (method, path, headers) =>
        way.open(method, path, { ...headers, Authorization: `Bearer ${token}` }),
    }),
  )
}

function maintenance(way: Way): Way {
  return {
    ...way,
    root: '/_letro/maintenance/v1',
    whenUnknown: `${way.name} says that this is not the maintenance token (it lies in its data folder, in ${tokenFileName}), and no code of now: a code of the console works for a few hours. Let somebody there look again.`,
    // Reading or rewriting a whole store takes hours where it is large, and says nothing meanwhile.
    silenceMs: 0,
  }
}

async function tokenIn(file: string): Promise<string> {
  let text: string
  try {
    text = file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandFailed(
      `${file} cannot be read (${code}): the maintenance token is the server's own user's and root's alone.`,
      exitCodes.impossible,
    )
  }
  if (isTokenOrCode(text)) return asSent(text)
  throw new CommandFailed(`${file} holds no maintenance token, and no code.`, exitCodes.usage)
}

async function askToken(url: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new CommandFailed(
      `${url} has to know that you may: give --token-file with a copy of ${tokenFileName} from its data folder, or with the code that an appliance's console shows (Backup, How a backup is restored).`,
      exitCodes.usage,
    )
  for (;;) {
    const typed = await ask('The code that the console of the machine shows (or its maintenance token): ')
    if (typed === null) throw new CommandFailed('Nothing was changed.', exitCodes.unsound)
    if (isTokenOrCode(typed)) return asSent(typed)
    print('A code has twelve letters and digits, such as 7KQ2-M0XW-R9TD.')
  }
}

/** What it is in the end, the server decides. */
function isTokenOrCode(text: string): boolean {
  return /^(?:[\w-]{32,}|(?:[\s-]*[0-9A-Za-z]){12}[\s-]*)$/.test(text.trim())
}

/** A code may be typed with spaces; in a header there are none. */
const asSent = (typed: string) => typed.replaceAll(/\s/g, '')

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: string[] = []
  for await (const part of stream) parts.push(String(part))
  return parts.join('')
}
