/**
 * One https request to a pinned peer.
 *
 * The connection goes to the address in the pin and nowhere else, speaks TLS 1.3, and nothing is written to it before
 * the certificate was found to be one that the pin names: by its key, or by the pin's own authority and the
 * peer's name. The certificate authorities of the operating system count for nothing.
 *
 * Deviation: server-server-api#resolving-server-names. No well-known, no SRV, no DNS name but the pin's.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import type { Peer, PeerTls } from '../peers/peer.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isIpLiteral } from '../protocol/ip-literal.ts'

export interface PeerRequest {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Path and query, percent-encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** From the first byte that we send to the last that we get. */
  readonly timeoutMs: number
  /** Over a connection to whomever: only for what anybody may see, and whose answer counts for nothing. */
  readonly toAnybody?: boolean
}

export class TransportError extends Error {
  readonly code: 'WRONG_CERTIFICATE' | 'UNREACHABLE' | 'TIMED_OUT' | 'TOO_LARGE'
  constructor(code: TransportError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TransportError'
    this.code = code
  }
}

/** What a connection must show before anything is sent over it. */
export interface Destination {
  readonly serverName: ServerName
  readonly host: string
  readonly port: number
  readonly tls: PeerTls
}

const connectMs = 10_000
/** A room's events go out one transaction after the other; requests of people need not wait behind them. */
const maxConnections = 8

export class Transport {
  /** By peer; made anew when the pin has changed. */
  readonly #agents = new Map<ServerName, { readonly peer: Peer; readonly agent: PinnedAgent }>()
  /** When a certificate ends that is good by the pin's authority alone; a pinned key has no end. Of the last connection. */
  readonly certificateEndsTs = new Map<ServerName, number>()

  /** The answer's head; the body is the caller's to read within `signal`, or to destroy. */
  async send(peer: Peer, request: PeerRequest): Promise<{ response: IncomingMessage; signal: AbortSignal }> {
    const { method, path, headers, body, timeoutMs, toAnybody = false } = request
    const signal = AbortSignal.timeout(timeoutMs)
    const agent = toAnybody ? new PinnedAgent(peer, { toAnybody }) : this.#agentOf(peer)
    await agent.turn(signal)
    const options: RequestOptions = {
      method,
      path,
      agent,
      headers: {
        Host: peer.serverName,
        ...headers,
        ...(body === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) }),
      },
      signal,
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sending = httpsRequest(options, resolve)
      sending.on('error', error => reject(transportError(peer, error, signal)))
      // After the answer was read, or whatever went wrong.
      sending.on('close', () => (toAnybody ? agent.destroy() : agent.next()))
      sending.end(body)
    })
    // What breaks while the body is read is told to its reader; unheard it would end the process.
    response.on('error', () => {})
    return { response, signal }
  }

  /** Open connections of a peer that was suspended, removed or pinned anew end at once. */
  forget(serverName: ServerName): void {
    this.certificateEndsTs.delete(serverName)
    this.#agents.get(serverName)?.agent.destroy()
    this.#agents.delete(serverName)
  }

  close(): void {
    for (const serverName of [...this.#agents.keys()]) this.forget(serverName)
  }

  #agentOf(peer: Peer): PinnedAgent {
    const known = this.#agents.get(peer.serverName)
    if (known?.peer === peer) return known.agent
    this.forget(peer.serverName)
    const agent = new PinnedAgent(peer, { certificateEndsTs: this.certificateEndsTs })
    this.#agents.set(peer.serverName, { peer, agent })
    return agent
  }
}

/** Reads a whole body of at most `maxBytes`. */
export async function readAll(
  { response, signal }: { readonly response: IncomingMessage; readonly signal: AbortSignal },
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    if (Number(response.headers['content-length']) > maxBytes) throw tooLarge(maxBytes)
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, size)
  } catch (error) {
    response.destroy()
    if (error instanceof TransportError) throw error
    throw signal.aborted
      ? new TransportError('TIMED_OUT', 'the peer did not finish its answer in time', { cause: error })
      : new TransportError('UNREACHABLE', 'the connection broke within the answer', { cause: error })
  }
}

function tooLarge(maxBytes: number): TransportError {
  return new TransportError('TOO_LARGE', `the peer's answer is larger than ${maxBytes} bytes`)
}

class PinnedAgent extends Agent {
  readonly #destination: Destination
  #isForgotten = false
  /** Requests under way. Node's own limit does not see connections that are being made. */
  #underWay = 0
  readonly #waiting = new Set<() => void>()

  readonly #toAnybody: boolean
  readonly #certificateEndsTs: Map<ServerName, number> | undefined

  constructor(
    destination: Destination,
    {
      toAnybody = false,
      certificateEndsTs,
    }: { toAnybody?: boolean; certificateEndsTs?: Map<ServerName, number> } = {},
  ) {
    // No resumed sessions: each connection shows its certificate.
    super({ keepAlive: true, maxSockets: maxConnections, maxCachedSessions: 0, keepAliveMsecs: 30_000 })
    this.#destination = destination
    this.#toAnybody = toAnybody
    this.#certificateEndsTs = certificateEndsTs
  }

  /** Resolves when the request may go; whoever got his turn says `next` when he is done. */
  async turn(signal: AbortSignal): Promise<void> {
    while (this.#underWay >= maxConnections && !this.#isForgotten) {
      await new Promise<void>(resolve => {
        const wake = () => {
          this.#waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiting.add(wake)
        signal.addEventListener('abort', wake)
      })
      if (signal.aborted) {
        this.#wakeOne()
        throw new TransportError(
          'TIMED_OUT',
          `${this.#destination.serverName} is too slow for all that is asked of it`,
        )
      }
    }
    if (this.#isForgotten) throw this.#forgotten()
    this.#underWay++
  }

  next(): void {
    this.#underWay--
    this.#wakeOne()
  }

  /** What waits, or is being connected, fails: it was meant for a pin that is no more. */
  override destroy(): void {
    this.#isForgotten = true
    for (const wake of [...this.#waiting]) wake()
    super.destroy()
  }

  #wakeOne(): void {
    const [first] = this.#waiting
    first?.()
  }

  #forgotten(): TransportError {
    return new TransportError('UNREACHABLE', `the pin of ${this.#destination.serverName} has changed`)
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    connectPinned(this.#destination, this.#toAnybody).then(
      socket => {
        if (!this.#isForgotten) {
          this.#noteEnd(socket)
          return callback!(null, socket)
        }
        socket.destroy()
        callback!(this.#forgotten(), undefined as unknown as Duplex)
      },
      error => callback!(error as Error, undefined as unknown as Duplex),
    )
    return undefined
  }

  #noteEnd(socket: TLSSocket): void {
    const { serverName, tls } = this.#destination
    const certificate = socket.getPeerX509Certificate()
    if (!certificate || isPinned(certificate, tls)) this.#certificateEndsTs?.delete(serverName)
    else this.#certificateEndsTs?.set(serverName, Date.parse(certificate.validTo))
  }
}

/** A TLS connection whose other end is the one that was pinned, unless it may be anybody. */
function connectPinned({ serverName, host, port, tls }: Destination, toAnybody: boolean): Promise<TLSSocket> {
  const name = serverName.replace(/:[0-9]+$/, '')
  const options: ConnectionOptions = {
    host,
    port,
    minVersion: 'TLSv1.3',
    // Judged below, by the pin alone: until then nothing is written.
    rejectUnauthorized: false,
    ca: tls.ca === undefined ? [] : [tls.ca],
    ALPNProtocols: ['http/1.1'],
    ...(isIpLiteral(name) ? {} : { servername: name }),
  }
  return new Promise((resolve, reject) => {
    const socket = connect(options)
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(
      () => fail(new TransportError('TIMED_OUT', `no TLS connection to ${host}:${port} within 10 s`)),
      connectMs,
    )
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      const reason = certificate ? whyNot(certificate, tls, socket, name) : 'it shows no certificate'
      if (reason !== null && !toAnybody) {
        fail(
          new TransportError(
            'WRONG_CERTIFICATE',
            `${host}:${port} is not the server that was pinned: ${reason}`,
          ),
        )
        return
      }
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

/** Base64 of SHA-256 over the SubjectPublicKeyInfo (RFC 7469 section 2.4). */
export function spkiOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('base64')
}

function isPinned(certificate: X509Certificate, { spkiSha256 }: PeerTls): boolean {
  const spki = spkiOf(certificate).replace(/=+$/, '')
  return spkiSha256.some(pinned => pinned.replace(/=+$/, '') === spki)
}

function whyNot(certificate: X509Certificate, tls: PeerTls, socket: TLSSocket, name: string): string | null {
  if (isPinned(certificate, tls)) return null
  if (tls.ca === undefined) return `its key ${spkiOf(certificate)} is none of those in the pin`
  if (!socket.authorized)
    return `its certificate is not of the pinned authority (${socket.authorizationError})`
  const misnamed = checkServerIdentity(name.replace(/^\[|\]$/g, ''), socket.getPeerCertificate())
  return misnamed ? `its certificate is not for ${name}` : null
}

function transportError(peer: Peer, error: Error, signal: AbortSignal): TransportError {
  if (error instanceof TransportError) return error
  if (signal.aborted) {
    return new TransportError('TIMED_OUT', `${peer.serverName} did not answer in time`, { cause: error })
  }
  const code = 'code' in error ? String(error.code) : error.name
  return new TransportError('UNREACHABLE', `${peer.serverName} at ${peer.host}:${peer.port}: ${code}`, {
    cause: error,
  })
}
