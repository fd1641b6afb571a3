/** Stands before a server and hands everything on, but for what it was told to answer otherwise: a newer release of a file. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export class Front {
  /** By path: what becomes of the file that the server has. */
  readonly changes = new Map<string, (file: Buffer) => Buffer>()
  /** Of the server behind it: `http://localhost:8008`. */
  base = ''
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (asked, answer) => this.#handOn(asked, answer))
  }

  static async open(): Promise<Front> {
    const server = createServer()
    server.listen(0, 'localhost')
    await once(server, 'listening')
    return new Front(server)
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #handOn(asked: IncomingMessage, answer: ServerResponse): void {
    const url = new URL(asked.url!, this.base)
    const change = this.changes.get(url.pathname)
    const headers = { ...asked.headers }
    if (change) {
      // The whole file, as it is.
      for (const name of ['accept-encoding', 'if-none-match', 'if-modified-since']) delete headers[name]
    }
    const behind = request(url, { method: asked.method!, headers }, async from => {
      if (!change) {
        answer.writeHead(from.statusCode!, from.headers)
        from.pipe(answer)
        return
      }
      const body = change(await buffer(from))
      const { etag: _, 'content-length': __, ...rest } = from.headers
      // Nobody keeps it.
      answer.writeHead(from.statusCode!, {
        ...rest,
        'cache-control': 'no-store',
        'content-length': body.length,
      })
      answer.end(body)
    })
    behind.on('error', () => answer.destroy())
    answer.on('close', () => behind.destroy())
    asked.pipe(behind)
  }
}
