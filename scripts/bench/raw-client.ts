/**
 * The cheapest HTTP/1.1 client that is still right: one keep-alive socket, one request at a time. A load
 * generator that spends more on a request than the server does measures itself.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface RawAnswer {
  readonly status: number
  readonly body: string
}

export class RawConnection {
  readonly #socket: Socket
  readonly #head: string
  #received: Buffer[] = []
  #size = 0
  #waiting: { resolve(answer: RawAnswer): void; reject(error: Error): void } | undefined

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#head = ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#take(chunk as Buffer))
    socket.on('error', error => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static open(base: string): Promise<RawConnection> {
    const url = new URL(base)
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    return new Promise((resolve, reject) => {
      const socket =
        url.protocol === 'https:'
          ? connectTls({ host: url.hostname, port, servername: url.hostname }, ready)
          : connect({ host: url.hostname, port }, ready)
      socket.once('error', reject)
      function ready() {
        socket.off('error', reject)
        resolve(new RawConnection(socket, url.host))
      }
    })
  }

  request(method: string, path: string, token?: string, body?: string): Promise<RawAnswer> {
    if (this.#waiting) throw new Error('one request at a time')
    let text = `${method} ${path}${this.#head}`
    if (token !== undefined) text += `authorization: Bearer ${token}\r\n`
    if (body !== undefined)
      text += `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    this.#socket.write(`${text}\r\n${body ?? ''}`)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#size += chunk.length
    const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received, this.#size)
    this.#received = [all]
    const headEnd = all.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = all.toString('latin1', 0, headEnd)
    const bodyStart = headEnd + 4
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(head)
    const body = length
      ? plainBody(all, bodyStart, Number(length[1]))
      : /\r\ntransfer-encoding: *chunked/i.test(head)
        ? chunkedBody(all, bodyStart)
        : ''
    if (body === null) return
    this.#received = []
    this.#size = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

/** null: not all of it is here yet. */
function plainBody(all: Buffer, start: number, length: number): string | null {
  return all.length < start + length ? null : all.toString('utf8', start, start + length)
}

function chunkedBody(all: Buffer, start: number): string | null {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = all.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(all.toString('latin1', at, lineEnd), 16)
    const end = lineEnd + 2 + size
    if (all.length < end + 2) return null
    if (size === 0) return Buffer.concat(parts).toString('utf8')
    parts.push(all.subarray(lineEnd + 2, end))
    at = end + 2
  }
}
