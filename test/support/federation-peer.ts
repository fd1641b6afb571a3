/**
 * A little homeserver for tests: it has a key, a certificate and an address, signs what it is told to sign, asks what it
 * is told to ask, and answers as it is told, true or not. Rooms that it holds are in `peer-room.ts`.
 *
 * Untold it answers its keys and its version, takes every transaction, and knows nothing else.
 */
import { randomBytes } from 'node:crypto'
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { encodeBase64 } from '../../server/protocol/base64.ts'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { signRequest } from '../../server/protocol/request-signing.ts'
import { type KeyId, signJson } from '../../server/protocol/signing.ts'
import type { TestAuthority } from './certificates.ts'
import type { Answer } from './client.ts'
import { signingKey } from './primitives.ts'

/** A request that came to it. */
export interface PeerRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: JsonObject
  /** As the Authorization header claims. */
  readonly origin: string | undefined
}

export interface PeerAnswer {
  readonly status?: number
  readonly body: Json
}

type Answering = (
  request: PeerRequest,
  parts: readonly string[],
) => PeerAnswer | null | Promise<PeerAnswer | null>

/** What it can ask: ours, and others of its kind. */
export interface Reachable {
  readonly serverName: string
  readonly federationPort: number
  /** PEM: whose certificate it shows. */
  readonly authority: string
}

export class FederationPeer implements Reachable {
  readonly serverName: ServerName
  readonly federationPort: number
  readonly authority: string
  readonly keyId: KeyId
  readonly sign: (bytes: Uint8Array) => Uint8Array
  /** All that came to it, the oldest first. */
  readonly requests: PeerRequest[] = []
  /** Of all transactions. */
  readonly pdus: JsonObject[] = []
  readonly edus: JsonObject[] = []
  readonly #publicKey: Uint8Array
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  readonly #answers: { method: string; path: readonly string[]; answer: Answering }[] = []
  #transactions = 0

  private constructor(host: string, authority: TestAuthority, server: Server, seed: Uint8Array) {
    this.#server = server
    this.authority = authority.certificate
    this.federationPort = (server.address() as AddressInfo).port
    this.serverName = `${host}:${this.federationPort}` as ServerName
    const { sign, publicKey } = signingKey(seed)
    this.sign = sign
    this.#publicKey = publicKey
    this.keyId = 'ed25519:test' as KeyId
  }

  /** `host`: a name that nobody has to resolve: peers dial the address in their pin. */
  static async start(host: string, authority: TestAuthority, address = '127.0.0.1'): Promise<FederationPeer> {
    const { certificate, key } = authority.issue(host)
    const server = createServer({ cert: certificate, key })
    await new Promise<void>(ready => server.listen(0, address, ready))
    const peer = new FederationPeer(host, authority, server, randomBytes(32))
    peer.#listen()
    return peer
  }

  /** `ed25519:ID=BASE64`: what an administrator pins. */
  get key(): string {
    return `${this.keyId}=${encodeBase64(this.#publicKey)}`
  }

  /**
   * From now on requests with this method and path (without its query; `:name` stands for one part of it, the others are
   * unescaped) are answered so. The newest that fits and does not answer null counts.
   */
  on(method: string, path: string, answer: Answering): void {
    this.#answers.unshift({ method, path: path.split('/'), answer })
  }

  /** A signed request to another server. */
  ask(to: Reachable, method: string, uri: string, content?: JsonObject): Promise<Answer> {
    const { authorization, body } = this.signed(to, method, uri, content)
    return this.send(to, method, uri, { authorization }, body)
  }

  /** What goes with such a request, made beforehand. */
  signed(
    to: Reachable,
    method: string,
    uri: string,
    content?: JsonObject,
  ): { readonly authorization: string; readonly body: string | undefined } {
    const destination = to.serverName as ServerName
    const body = content && canonicalJson(content)
    const request = { method, uri, origin: this.serverName, destination }
    const covered = body === undefined ? request : { ...request, content: body }
    return { authorization: signRequest(covered, this.keyId, this.sign), body }
  }

  /** A request as it stands, signed by nobody. */
  send(
    to: Reachable,
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer> {
    const typed = body === undefined ? {} : { 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const sending = httpsRequest(
        {
          host: '127.0.0.1',
          port: to.federationPort,
          servername: to.serverName.replace(/:[0-9]+$/, ''),
          ca: to.authority,
          agent: this.#agent,
          method,
          path,
          headers: { host: to.serverName, ...typed, ...headers },
        },
        response => {
          text(response).then(got => {
            const isJson = response.headers['content-type']?.startsWith('application/json')
            resolve({
              status: response.statusCode!,
              headers: new Headers(response.headers as Record<string, string>),
              body: isJson && got !== '' ? JSON.parse(got) : got,
            })
          }, reject)
        },
      )
      sending.on('error', reject)
      sending.end(body)
    })
  }

  /** One transaction; what became of each event. Throws if it was not taken. */
  async transact(
    to: Reachable,
    pdus: readonly JsonObject[],
    edus: readonly JsonObject[] = [],
  ): Promise<Readonly<Record<string, { readonly error?: string }>>> {
    const txnId = `t${this.#transactions++}`
    const { status, body } = await this.ask(to, 'PUT', `/_matrix/federation/v1/send/${txnId}`, {
      origin: this.serverName,
      origin_server_ts: Date.now(),
      pdus,
      edus,
    })
    if (status !== 200) throw new Error(`a transaction was answered ${status}: ${JSON.stringify(body)}`)
    return body.pdus
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    this.#server.closeAllConnections()
    await new Promise(closed => this.#server.close(closed))
  }

  #listen(): void {
    this.on('GET', '/_matrix/key/v2/server', () => ({ body: this.#keys() }))
    this.on('GET', '/_matrix/federation/v1/version', () => ({ body: { server: { name: 'a test' } } }))
    this.on('PUT', '/_matrix/federation/v1/send/:txnId', ({ body }) => {
      this.pdus.push(...((body['pdus'] ?? []) as JsonObject[]))
      this.edus.push(...((body['edus'] ?? []) as JsonObject[]))
      return { body: { pdus: {} } }
    })
    this.#server.on('request', async (request, response) => {
      const came = await text(request)
      const url = new URL(request.url!, 'https://peer.test')
      const seen: PeerRequest = {
        method: request.method!,
        path: url.pathname,
        query: url.searchParams,
        body: came === '' ? {} : JSON.parse(came),
        origin: /origin="([^"]*)"/.exec(request.headers.authorization ?? '')?.[1],
      }
      this.requests.push(seen)
      const { status = 200, body } = await this.#answer(seen).catch(error => ({
        status: 500,
        body: { errcode: 'M_UNKNOWN', error: String(error) },
      }))
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  }

  async #answer(request: PeerRequest): Promise<PeerAnswer> {
    for (const { method, path, answer } of this.#answers) {
      const parts = method === request.method ? partsOf(request.path, path) : null
      const given = parts && (await answer(request, parts))
      if (given) return given
    }
    return { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: `${request.method} ${request.path}` } }
  }

  #keys(): JsonObject {
    const keys = {
      server_name: this.serverName,
      valid_until_ts: Date.now() + 86_400_000,
      verify_keys: { [this.keyId]: { key: encodeBase64(this.#publicKey) } },
      old_verify_keys: {},
    }
    return signJson(keys, this.serverName, this.keyId, this.sign)
  }
}

/** What stands for the `:name`s of the path; null: it is another one. */
function partsOf(asked: string, path: readonly string[]): string[] | null {
  const given = asked.split('/').map(decodeURIComponent)
  const fits = given.length === path.length && path.every((part, i) => part[0] === ':' || part === given[i])
  return fits ? given.filter((_, i) => path[i]![0] === ':') : null
}
