/**
 * The way to a running server that answers whatever state its data is in (server/maintenance.ts): with the token that
 * lies in its data folder, on its own machine by the socket there, over the network with a copy of that token. A login does
 * not do: who administers stands in the store, and the store may be what is damaged.
 */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { readAuthority, serverAddress } from './server-address.ts'
import { byHttps, bySocket, connectionBy, type ServerConnection, type Way } from './server-connection.ts'

export interface MaintenanceOptions {
  readonly data?: string
  readonly server?: string
  readonly tokenFile?: string
  readonly ca?: string
  readonly json?: boolean
}

export const tokenFileName = 'maintenance.token'

export function withMaintenance(command: Command): Command {
  return command
    .option('--server <url>', 'a running server, over the network; with --token-file')
    .option(
      '--token-file <file>',
      `a copy of ${tokenFileName} from its data folder; - reads it from the standard input`,
    )
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
      'Which server? On its own machine give --data FOLDER; from elsewhere --server URL --token-file FILE.',
      exitCodes.usage,
    )
  if (data !== undefined)
    return bySocketOf(resolve(data), await tokenIn(tokenFile ?? join(data, tokenFileName)))
  const url = serverAddress(server!)
  if (tokenFile === undefined)
    throw new CommandFailed(
      `The maintenance token of ${url} is needed: give --token-file with a copy of ${tokenFileName} from its data folder.`,
      exitCodes.usage,
    )
  const authority = options.ca === undefined ? {} : { authority: await readAuthority(options.ca) }
  return connectionBy(maintenance(byHttps({ url, token: await tokenIn(tokenFile), ...authority })))
}

/** The same words again, for the next command. */
export function placeText({ data, server, tokenFile }: MaintenanceOptions): string {
  if (data !== undefined) return `--data ${data}`
  return `--server ${server} --token-file ${tokenFile}`
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
    whenUnknown: `This is not the maintenance token of ${way.name}: it lies in its data folder, in ${tokenFileName}.`,
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
  const token = text.trim()
  if (/^[\w-]{32,}$/.test(token)) return token
  throw new CommandFailed(`${file} holds no maintenance token.`, exitCodes.usage)
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: string[] = []
  for await (const part of stream) parts.push(String(part))
  return parts.join('')
}
