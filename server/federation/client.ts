/**
 * Signed requests to peers, and their answers as JSON: what every endpoint of the server-server API shares.
 *
 * Never asks a server that is not pinned, or that nothing may be sent to. Whether the answer has the shape that its endpoint
 * promises, the files beside this one check (shapes.ts).
 */

import { parseStrictJson } from '../http/strict-json.ts'
import type { Peers } from '../peers/peer.ts'
import { canonicalJson } from '../protocol/canonical-json.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { signRequest } from '../protocol/request-signing.ts'
import type { KeyId } from '../protocol/signing.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { readAll, type Transport, TransportError } from './transport.ts'

export interface RequestSigner {
  readonly keyId: KeyId
  sign(keyId: KeyId, bytes: Uint8Array): Uint8Array
}

export interface FederationClientDeps {
  readonly serverName: ServerName
  readonly peers: Pick<Peers, 'get' | 'maySendTo'>
  readonly signer: RequestSigner
  readonly transport: Transport
  /** The peer showed a certificate that its pin does not know: it may have another card by now. */
  readonly onOtherCertificate?: (server: ServerName) => void
}

export interface Ask {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** With its parameters encoded: see `pathOf`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly body?: JsonObject
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** See `PeerRequest`: the card alone. */
  readonly toAnybody?: boolean
}

const timeoutMs = 30_000
const maxBytes = 16 * 1024 * 1024
const longestWaitMs = 3_600_000

export class FederationClient {
  readonly #deps: FederationClientDeps

  constructor(deps: FederationClientDeps) {
    this.#deps = deps
  }

  /** @throws RemoteError */
  async json(server: ServerName, ask: Ask): Promise<JsonObject> {
    const answer = await this.open(server, ask)
    const bytes = await readOrExplain(server, answer, ask.maxBytes ?? maxBytes)
    const value = parsed(bytes)
    if (answer.response.statusCode === 200) {
      if (isObject(value)) return value
      throw new RemoteError('unreachable', `${server} answered something that is no JSON object.`)
    }
    const { errcode, error, retry_after_ms: wait } = isObject(value) ? value : {}
    throw new RemoteError('refused', typeof error === 'string' ? error.slice(0, 500) : `${server} refused.`, {
      status: answer.response.statusCode!,
      ...(typeof errcode === 'string' ? { errcode: errcode.slice(0, 100) } : {}),
      ...(typeof wait === 'number' && wait >= 0
        ? { fields: { retry_after_ms: Math.min(wait, longestWaitMs) } }
        : {}),
    })
  }

  /** The answer's head, whatever its status; the caller reads or destroys the body. @throws RemoteError */
  async open(server: ServerName, ask: Ask): Promise<Awaited<ReturnType<Transport['send']>>> {
    const { peers, serverName, signer, transport } = this.#deps
    const peer = peers.get(server)
    if (!peer || !peers.maySendTo(server)) {
      throw new RemoteError('unpinned', `This server is not connected to ${server}.`)
    }
    if (peer.transport !== 'https') {
      throw new RemoteError('unreachable', `${server} is reached by bundles only, and cannot be asked.`)
    }
    const { method, body } = ask
    const uri = ask.path + queryOf(ask.query)
    const content = body === undefined ? undefined : canonicalJson(body)
    const request = { method, uri, origin: serverName, destination: server }
    const authorization = signRequest(
      content === undefined ? request : { ...request, content },
      signer.keyId,
      bytes => signer.sign(signer.keyId, bytes),
    )
    try {
      return await transport.send(peer, {
        method,
        path: uri,
        headers: { Authorization: authorization, 'User-Agent': 'Letro' },
        ...(content === undefined ? {} : { body: content }),
        timeoutMs: ask.timeoutMs ?? timeoutMs,
        ...(ask.toAnybody ? { toAnybody: true } : {}),
      })
    } catch (error) {
      if (isOtherCertificate(error)) this.#deps.onOtherCertificate?.(server)
      throw unreachable(server, error)
    }
  }
}

export function isOtherCertificate(error: unknown): boolean {
  return error instanceof TransportError && error.code === 'WRONG_CERTIFICATE'
}

/** Path parameters, percent-encoded: `pathOf\`/v1/event/${eventId}\``. */
export function pathOf(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return `/_matrix/federation${String.raw({ raw: parts }, ...values.map(encodeURIComponent))}`
}

function queryOf(query: Ask['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  return search.size === 0 ? '' : `?${search}`
}

async function readOrExplain(
  server: ServerName,
  answer: Parameters<typeof readAll>[0],
  limit: number,
): Promise<Buffer> {
  try {
    return await readAll(answer, limit)
  } catch (error) {
    throw unreachable(server, error)
  }
}

function unreachable(server: ServerName, error: unknown): RemoteError {
  const reason = error instanceof TransportError ? error.message : 'the request failed'
  return new RemoteError('unreachable', `${server} cannot be reached: ${reason}.`, { cause: error })
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseStrictJson(bytes)
  } catch {
    return undefined
  }
}
