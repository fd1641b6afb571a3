/**
 * A network between servers under test, each in a network namespace with an address of its own and no way out but this
 * network. Whatever goes from one to another passes a relay here, which can be slow, or cut.
 *
 * A cut is silent, as a lost line is: what was under way is never answered. With the heal, connections of before end.
 *
 * Namespaces need root on Linux. Elsewhere the servers share this machine's loopback; cuts and delays are the same.
 */
import { spawnSync } from 'node:child_process'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Place {
  readonly address: string
  /** What a program there is started with, before its own name. */
  readonly command: readonly string[]
}

interface Line {
  readonly server: Server
  readonly sockets: Set<Socket>
  isCut: boolean
  delayMs: number
}

export class Network {
  readonly hasNamespaces: boolean
  /** Where relays listen. */
  readonly #hub: string
  readonly #prefix: string
  readonly #places: Place[] = []
  readonly #lines = new Map<string, Line>()

  constructor() {
    // Runs side by side get networks apart.
    const part = process.pid % 4_096
    this.#prefix = `letro${part.toString(16)}`
    this.hasNamespaces = platform === 'linux' && isDone('ip', 'link', 'add', this.#prefix, 'type', 'bridge')
    this.#hub = this.hasNamespaces ? `10.${64 + (part >> 8)}.${part & 255}.254` : '127.0.0.1'
    if (!this.hasNamespaces) return
    ip('addr', 'add', `${this.#hub}/24`, 'dev', this.#prefix)
    ip('link', 'set', this.#prefix, 'up')
  }

  /** A place for one more server. */
  place(): Place {
    const number = this.#places.length + 1
    const place = this.hasNamespaces ? this.#namespace(number) : { address: '127.0.0.1', command: [] }
    this.#places.push(place)
    return place
  }

  /** From now on `from` reaches `to` at this port of this address, and at no other. */
  async line(
    from: string,
    to: string,
    target: { readonly address: string; readonly port: number },
  ): Promise<{ readonly host: string; readonly port: number }> {
    const sockets = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true })
    const line: Line = { server, sockets, isCut: false, delayMs: 0 }
    server.on('connection', near => {
      const far = connect({ host: target.address, port: target.port, allowHalfOpen: true })
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one)
        const delayed = new Delayed(line)
        one.on('data', data => delayed.put(() => other.write(data)))
        one.on('end', () => delayed.put(() => other.end()))
        one.on('error', () => {})
        one.on('close', () => {
          sockets.delete(one)
          if (!line.isCut) other.destroy()
        })
      }
    })
    await new Promise<void>(ready => server.listen(0, this.#hub, ready))
    this.#lines.set(`${from} ${to}`, line)
    return { host: this.#hub, port: (server.address() as { port: number }).port }
  }

  /** Both ways. */
  cut(one: string, other: string): void {
    for (const line of this.#between(one, other)) line.isCut = true
  }

  heal(one: string, other: string): void {
    for (const line of this.#between(one, other)) {
      if (!line.isCut) continue
      for (const socket of line.sockets) socket.destroy()
      line.isCut = false
    }
  }

  /** Every packet from one to the other, and back, takes so long from now on. */
  delay(one: string, other: string, delayMs: number): void {
    for (const line of this.#between(one, other)) line.delayMs = delayMs
  }

  /** The programs in it have ended. */
  async close(): Promise<void> {
    for (const { server, sockets } of this.#lines.values()) {
      for (const socket of sockets) socket.destroy()
      await new Promise(closed => server.close(closed))
    }
    if (!this.hasNamespaces) return
    for (const number of this.#places.keys()) ip('netns', 'del', this.#name(number + 1))
    ip('link', 'del', this.#prefix)
  }

  #between(one: string, other: string): Line[] {
    return [`${one} ${other}`, `${other} ${one}`].map(key => this.#lines.get(key)!)
  }

  #name(number: number): string {
    return `${this.#prefix}n${number}`
  }

  #namespace(number: number): Place {
    const name = this.#name(number)
    const address = this.#hub.replace(/254$/, String(number))
    ip('netns', 'add', name)
    ip('link', 'add', `${this.#prefix}v${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    ip('link', 'set', `${this.#prefix}v${number}`, 'master', this.#prefix, 'up')
    ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
    ip('-n', name, 'link', 'set', 'lo', 'up')
    return { address, command: ['ip', 'netns', 'exec', name] }
  }
}

/** What comes in on the socket goes on in order, each when its time has come; what is under way at a cut is lost. */
class Delayed {
  readonly #line: Line
  #last: Promise<unknown> = Promise.resolve()

  constructor(line: Line) {
    this.#line = line
  }

  put(act: () => void): void {
    const due = performance.now() + this.#line.delayMs
    this.#last = this.#last.then(async () => {
      const waitMs = due - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      if (!this.#line.isCut) act()
    })
  }
}

function isDone(...command: string[]): boolean {
  return spawnSync(command[0]!, command.slice(1)).status === 0
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
