/** QEMU's machine protocol: one JSON object a line over a unix socket; commands are answered in order, events come between. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface QmpEvent {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: each event has data of its own
  readonly data?: any
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Qmp {
  readonly events: QmpEvent[] = []
  readonly #socket: Socket
  readonly #waiting: Waiting[] = []

  static async connect(path: string, isAlive: () => boolean): Promise<Qmp> {
    for (;;) {
      const socket = createConnection(path)
      try {
        await once(socket, 'connect')
        const qmp = new Qmp(socket)
        await qmp.ask('qmp_capabilities')
        return qmp
      } catch (error) {
        socket.destroy()
        if (!isAlive()) throw new Error('QEMU ended before it could be spoken to', { cause: error })
        await sleep(50)
      }
    }
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    const lines = createInterface({ input: socket })
    // A reader of lines throws what its socket fails with, unless somebody listens.
    lines.on('line', line => this.#receive(JSON.parse(line))).on('error', () => {})
    const end = () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('QEMU has gone'))
    }
    socket.on('close', end).on('error', end)
  }

  // biome-ignore lint/suspicious/noExplicitAny: each command has an answer of its own
  ask(execute: string, args: object = {}): Promise<any> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('QEMU has gone'))
      this.#waiting.push({ resolve, reject })
      this.#socket.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    })
  }

  /** For the little that only the monitor for people can do. */
  monitor(line: string): Promise<string> {
    return this.ask('human-monitor-command', { 'command-line': line })
  }

  count(event: string): number {
    return this.events.filter(each => each.event === event).length
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(message: Record<string, unknown>): void {
    if ('event' in message) this.events.push(message as unknown as QmpEvent)
    else if ('return' in message) this.#waiting.shift()?.resolve(message['return'])
    else if ('error' in message) {
      const { desc } = message['error'] as { desc: string }
      this.#waiting.shift()?.reject(new Error(`QEMU: ${desc}`))
    }
  }
}
