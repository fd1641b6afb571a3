/**
 * The wire between people and a server: TCP, byte for byte, that can be slow, fall silent in the middle, or break. Neither end is
 * told; connections that stand go on where they were when it is well again.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { sleep } from './server-process.ts'

/** Small ones, so that what is slow is so evenly. */
const pieceBytes = 16 * 1024

export class Wire {
  /** Where the server answers; null: nobody does. */
  target: number | null = null
  /** Bytes a second of each connection, from people to the server; null: as fast as it goes. */
  up: number | null = null
  /** From the server to people. */
  down: number | null = null
  /** How many bytes have passed. */
  readonly passed = { up: 0, down: 0 }
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #sound: PromiseWithResolvers<void> | null = null

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', socket => this.#join(socket))
  }

  static async open(): Promise<Wire> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, 'localhost')
    await once(server, 'listening')
    return new Wire(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get origin(): string {
    return `http://localhost:${this.port}`
  }

  /** From here on nothing passes, and nothing breaks. */
  fallSilent(): void {
    this.#sound ??= Promise.withResolvers()
  }

  /** Well again, and as fast as it goes. */
  mend(): void {
    this.up = null
    this.down = null
    this.#sound?.resolve()
    this.#sound = null
  }

  /** What stands breaks; new connections are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.mend()
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(person: Socket): void {
    if (this.target === null) {
      person.destroy()
      return
    }
    const server = connect({ port: this.target, host: 'localhost', allowHalfOpen: true })
    for (const [from, to, way] of [
      [person, server, 'up'],
      [server, person, 'down'],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay()
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      this.#carry(from, to, way).catch(() => {
        // One end is gone: the other one goes with it.
        from.destroy()
      })
    }
  }

  async #carry(from: Socket, to: Socket, way: 'up' | 'down'): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes)
        await this.#sound?.promise
        const speed = this[way]
        if (speed !== null) await sleep((piece.length / speed) * 1000)
        this.passed[way] += piece.length
        if (!to.write(piece)) await once(to, 'drain')
      }
    }
    to.end()
  }
}
