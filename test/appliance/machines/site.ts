/**
 * A site in a machine, from outside: its name leads to a forwarded port on loopback, and its own authority is all that is trusted.
 * The authority's certificate comes as people get it: from the trust page.
 */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

/** What is dialled instead of the name. */
export interface Door {
  /** On loopback, for a port of the machine; it may differ after each start. */
  port(port: 443 | 80): number
}

export class Site {
  readonly origin: string
  /** The machine that it runs in now: another one after a restart or a restore. */
  door: Door
  #agent = new Agent()
  #authority: X509Certificate | undefined

  constructor(origin: string, door: Door) {
    this.origin = origin
    this.door = door
  }

  get base(): string {
    return this.origin
  }

  get isTrusted(): boolean {
    return this.#authority !== undefined
  }

  /** Its certificate (DER). */
  get authority(): Uint8Array {
    return new Uint8Array(this.#authority!.raw)
  }

  /** Learns to trust the authority, as a person does at the trust page. */
  async trust(timeoutMs: number): Promise<void> {
    this.trusts(await within(timeoutMs, () => plain(this.door.port(80), '/authority.crt', this.#host)))
  }

  /** The authority is known from elsewhere: an organisation's own. */
  trusts(certificate: string | Uint8Array): void {
    this.#authority = new X509Certificate(certificate)
    this.#agent = new Agent({ keepAlive: true, ca: this.#authority.toString() })
  }

  /** Waits for the first answer over HTTPS. */
  async answers(timeoutMs: number): Promise<void> {
    await within(timeoutMs, async () => {
      const { status } = await this.fetch(`${this.origin}/_matrix/client/versions`)
      if (status !== 200) throw new Error(`/_matrix/client/versions: ${status}`)
    })
  }

  /** `fetch`, with this site's name and authority. */
  fetch = async (input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> => {
    const asked = new Request(input, init)
    const { pathname, search } = new URL(asked.url)
    const body = asked.body ? Buffer.from(await asked.arrayBuffer()) : undefined
    const options: RequestOptions = {
      ...{ agent: this.#agent, host: '127.0.0.1', port: this.door.port(443), servername: this.#host },
      ...{ method: asked.method, path: pathname + search, signal: asked.signal },
      headers: {
        ...Object.fromEntries(asked.headers),
        host: this.#host,
        ...(body ? { 'content-length': body.length } : {}),
      },
    }
    return this.#send(options, body)
  }

  #send(options: RequestOptions, body: Buffer | undefined): Promise<Response> {
    return new Promise((resolve, reject) => {
      const sent = request(options, answer => {
        const parts: Buffer[] = []
        answer.on('data', part => void parts.push(part)).once('error', reject)
        answer.once('end', () => {
          const { statusCode: status = 500, headers } = answer
          const text = [204, 304].includes(status) ? null : Buffer.concat(parts)
          resolve(new Response(text, { status, headers: headers as Record<string, string> }))
        })
      })
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The other end closed a connection that was kept while the request was on its way: browsers send it once more.
        const isSafe = sent.reusedSocket && error.code === 'ECONNRESET' && options.method !== 'POST'
        if (isSafe) this.#send(options, body).then(resolve, reject)
        else reject(error)
      })
      sent.setTimeout(60_000, () => sent.destroy(new Error('no answer within 60 s')))
      sent.end(body)
    })
  }

  /** JSON there and back. @throws with the answer unless it is 200 */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async ask(method: string, path: string, body?: unknown, token?: string): Promise<any> {
    const answer = await this.fetch(this.origin + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  get #host(): string {
    return new URL(this.origin).host
  }
}

async function plain(port: number, path: string, host: string): Promise<Buffer> {
  const sent = get({ host: '127.0.0.1', port, path, headers: { host }, signal: AbortSignal.timeout(10_000) })
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const bytes = Buffer.concat(await answer.toArray())
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`)
  return bytes
}

/** Again and again, until it succeeds. @throws the last failure */
export async function within<T>(timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await sleep(200)
    }
  }
}
