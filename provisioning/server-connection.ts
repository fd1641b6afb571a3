/**
 * The way to a running server: its administration API (server/admin-api/README.md), over the socket in the data folder on
 * the server's own machine (`--data`), or over https after `letro login` (`--server`, or the only login there is).
 */
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { adminSocket } from '#protocol/local-request.ts'
import { CommandFailed } from './command-failed.ts'
import { exitCodes } from './exit-codes.ts'
import { type Login, loginFor } from './logins.ts'

export interface ServerOptions {
  readonly data?: string
  readonly server?: string
  readonly json?: boolean
}

export interface ServerConnection {
  /** For the person: which server this is. */
  readonly name: string
  /** @param path below `/_letro/admin/v1`; throws CommandFailed with the server's own sentence */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: JsonObject): Promise<JsonObject>
  /** A file as the body. @param progress how many bytes have left */
  upload(
    path: string,
    file: string,
    progress: (bytes: number, of: number) => void,
    method?: 'POST' | 'PUT',
  ): Promise<JsonObject>
  /** The file is there whole or not at all. */
  download(path: string, file: string): Promise<void>
}

/** The options that every command about a running server takes. */
export function withServer(command: Command): Command {
  return command
    .option('--data <folder>', "on the server's own machine: its data folder (server.data in letro.toml)")
    .option('--server <url>', 'over the network, after: letro login URL')
    .option('--json', 'answer in JSON, for scripts')
}

export async function connect(options: ServerOptions): Promise<ServerConnection> {
  if (options.data !== undefined && options.server !== undefined)
    throw new CommandFailed('Give either --data or --server.', exitCodes.usage)
  if (options.data !== undefined) return connectionBy(bySocket(resolve(options.data)))
  return connectionBy(byHttps(await loginFor(options.server)))
}

/** How one request starts. */
export interface Way {
  readonly name: string
  open(method: string, path: string, headers: Record<string, string>): ClientRequest
  /** What it means that nobody answers. */
  readonly whenAway: (code: string) => string
  /** The API that is asked: what its paths begin with; what it means that it does not know who asks. */
  readonly root: string
  readonly whenUnknown: string
  /** Longer than this nothing honest takes before its first byte. */
  readonly silenceMs: number
}

/** An act can write to disk and ask peers. */
const administration = {
  root: '/_letro/admin/v1',
  whenUnknown: 'This login is over. Begin again with: letro login URL',
  silenceMs: 60_000,
} as const

export function connectionBy(way: Way): ServerConnection {
  const objectOf = async (answer: IncomingMessage) => {
    const parsed = objectIn(await text(answer, way))
    if (!isOk(answer)) throw refusal(answer, parsed, way)
    if (parsed) return parsed
    throw new CommandFailed(
      `${way.name} answered something that is no answer of Letro.`,
      exitCodes.impossible,
    )
  }
  return {
    name: way.name,
    ask: async (method, path, body) => objectOf(await send(way, method, path, body)),
    upload: async (path, file, progress, method = 'POST') =>
      objectOf(await sendFile(way, method, path, file, progress)),
    download: async (path, file) => {
      const answer = await send(way, 'GET', path)
      if (!isOk(answer)) throw refusal(answer, objectIn(await text(answer, way)), way)
      try {
        await pipeline(answer, createWriteStream(`${file}.part`, { mode: 0o600 }))
        await rename(`${file}.part`, file)
      } catch (error) {
        await rm(`${file}.part`, { force: true })
        throw new CommandFailed(`${file} cannot be written (${codeOf(error)}).`, exitCodes.impossible)
      }
    },
  }
}

function send(way: Way, method: string, path: string, body?: JsonObject): Promise<IncomingMessage> {
  const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body))
  return new Promise((fulfil, reject) => {
    const request = way.open(method, way.root + path, {
      ...(bytes ? { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) } : {}),
    })
    request.setTimeout(way.silenceMs, () => request.destroy(new Error('no answer')))
    request.on('response', fulfil)
    request.on('error', error => {
      reject(new CommandFailed(way.whenAway(codeOf(error)), exitCodes.impossible))
    })
    request.end(bytes ?? undefined)
  })
}

async function sendFile(
  way: Way,
  method: string,
  path: string,
  file: string,
  progress: (bytes: number, of: number) => void,
): Promise<IncomingMessage> {
  const handle = await open(file).catch((error: unknown) => {
    throw new CommandFailed(`${file} cannot be read (${codeOf(error)}).`, exitCodes.impossible)
  })
  const { size } = await handle.stat()
  return new Promise((fulfil, reject) => {
    const request = way.open(method, way.root + path, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(size),
    })
    const body = handle.createReadStream()
    let sent = 0
    body.on('data', piece => {
      sent += piece.length
      progress(sent, size)
    })
    // An answer that comes before all of it has left is a refusal: nothing more is sent.
    request.on('response', answer => {
      body.destroy()
      fulfil(answer)
    })
    const fail = (error: unknown) => {
      body.destroy()
      reject(new CommandFailed(way.whenAway(codeOf(error)), exitCodes.impossible))
    }
    request.setTimeout(way.silenceMs, () => request.destroy(new Error('no answer')))
    request.on('error', fail)
    body.on('error', error => request.destroy(error))
    body.pipe(request)
  })
}

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

async function text(answer: IncomingMessage, way: Way): Promise<string> {
  try {
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  } catch (error) {
    throw new CommandFailed(
      `${way.name} broke off in the middle of its answer (${codeOf(error)}).`,
      exitCodes.impossible,
    )
  }
}

/** null: it is no object of JSON. */
export function objectIn(text: string): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : null
  } catch {
    return null
  }
}

function refusal({ statusCode = 0 }: IncomingMessage, body: JsonObject | null, way: Way): CommandFailed {
  const said = body?.['error']
  if (statusCode === 401) return new CommandFailed(way.whenUnknown, exitCodes.unsound)
  if (statusCode === 503)
    return new CommandFailed(
      `The server is in maintenance: it serves nobody. See why, and what to do: letro store status${typeof said === 'string' ? `\nIt says: ${said}` : ''}`,
      exitCodes.unsound,
    )
  if (typeof said === 'string') return new CommandFailed(said, exitCodes.unsound)
  return new CommandFailed(`The server refused (HTTP ${statusCode}).`, exitCodes.unsound)
}

/** A socket's path holds about a hundred bytes: the shorter of the two ways to write it. */
export function bySocket(data: string): Way {
  const absolute = resolve(data, adminSocket)
  const fromHere = relative(process.cwd(), absolute)
  const socketPath = fromHere.length < absolute.length ? fromHere : absolute
  return {
    ...administration,
    name: `The server of ${data}`,
    open: (method, path, headers) => httpRequest({ socketPath, method, path, headers }),
    whenAway: code =>
      code === 'EACCES'
        ? `${absolute} belongs to another user: run this as the user of the server, or as root.`
        : `The server does not answer: nothing was changed. Is it running, with this data folder (${data})?`,
  }
}

export function byHttps({ url, token, authority }: Pick<Login, 'url' | 'token' | 'authority'>): Way {
  return {
    ...administration,
    name: url,
    open: (method, path, headers) =>
      (url.startsWith('https:') ? httpsRequest : httpRequest)(url + path, {
        method,
        headers: { ...headers, Authorization: `Bearer ${token}` },
        ...(authority === undefined ? {} : { ca: authority }),
      }),
    whenAway: code => awayByNetwork(url, code),
  }
}

export function awayByNetwork(url: string, code: string): string {
  const trust = [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ]
  if (trust.includes(code) || code === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
    return `The certificate of ${url} comes from an authority that this machine does not know. Give the site's authority with --ca FILE (it is on the trust page).`
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS'))
    return `The certificate of ${url} does not hold (${code}): it is for another name, or its time is over.`
  return `${url} does not answer (${code}).`
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
}
