/**
 * The switch of a rack, with the other end of two cables that are used as one (LACP, IEEE 802.1AX) and carry a VLAN, tagged
 * (IEEE 802.1Q). Untagged on its uplink, which is QEMU's own network with the forwarded ports. It keeps time for the rack, too:
 * whoever is asked over NTP, it answers. Frames come and go as QEMU's `-netdev stream` writes them: 32 bits of length, then the
 * frame.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

const slowProtocols = { address: Buffer.from('0180c2000002', 'hex'), type: 0x8809 }
const lacpSubtype = 1
const lacpduBytes = 124
/** One that said nothing for so long is out of the bundle ("short timeout"). */
const lacpTimeoutMs = 3_000
/** Active, short timeout, aggregates, in sync, collects, distributes. */
const lacpState = 0x3f
const tagged = 0x8100

interface Port {
  readonly number: number
  socket: Socket | undefined
  /** When it last spoke LACP, and what it said about itself. */
  heardAt: number
  actor: Buffer
}

export class RackSwitch {
  readonly folder: string
  readonly vlan: number
  readonly #ports: readonly Port[] = [1, 2].map(number => ({
    ...{ number, socket: undefined, heardAt: Number.NEGATIVE_INFINITY, actor: Buffer.alloc(15) },
  }))
  readonly #servers: Server[] = []
  readonly #timer: NodeJS.Timeout
  #uplink: Socket | undefined

  constructor(folder: string, vlan: number) {
    this.folder = folder
    this.vlan = vlan
    for (const port of this.#ports) {
      this.#listen(`port-${port.number}`, (socket, frame) => {
        port.socket = socket
        if (frame) this.#fromPort(port, frame)
      })
    }
    this.#listen('uplink', (socket, frame) => {
      this.#uplink = socket
      if (frame) this.#toMachine(frame)
    })
    this.#timer = setInterval(() => {
      for (const port of this.#ports) this.#speakLacp(port)
    }, 1_000)
  }

  /** Two cards with a cable each, and the network behind the switch; `user` is QEMU's. */
  args(user: string): string[] {
    const stream = (name: string) =>
      `stream,id=${name},server=off,addr.type=unix,addr.path=${join(this.folder, `${name}.sock`)}`
    return [
      ...this.#ports.flatMap(({ number }) => [
        ...['-netdev', stream(`port-${number}`)],
        // Cards as servers have them: of a virtual one nobody knows the speed, and LACP leaves it alone.
        ...['-device', `e1000e,netdev=port-${number},id=card-${number},romfile=`],
      ]),
      ...['-netdev', `user,id=net,${user}`, '-netdev', 'hubport,id=hub-net,hubid=0,netdev=net'],
      ...['-netdev', stream('uplink'), '-netdev', 'hubport,id=hub-uplink,hubid=0,netdev=uplink'],
    ]
  }

  /** Ports over which the other end wants to send and receive as one. */
  get bundled(): number[] {
    const now = performance.now()
    return this.#ports.filter(({ heardAt }) => now - heardAt < lacpTimeoutMs).map(({ number }) => number)
  }

  close(): void {
    clearInterval(this.#timer)
    for (const server of this.#servers) server.close()
    for (const socket of [this.#uplink, ...this.#ports.map(port => port.socket)]) socket?.destroy()
  }

  #listen(name: string, handle: (socket: Socket, frame?: Buffer) => void): void {
    const server = createServer(socket => {
      handle(socket)
      let rest = Buffer.alloc(0)
      socket.on('error', () => {})
      socket.on('data', bytes => {
        rest = Buffer.concat([rest, bytes as Buffer])
        while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
          const end = 4 + rest.readUInt32BE()
          handle(socket, rest.subarray(4, end))
          rest = rest.subarray(end)
        }
      })
    })
    server.listen(join(this.folder, `${name}.sock`))
    this.#servers.push(server)
  }

  #fromPort(port: Port, frame: Buffer): void {
    const type = frame.readUInt16BE(12)
    if (type === slowProtocols.type && frame[14] === lacpSubtype && frame.length >= lacpduBytes) {
      const isNews = performance.now() - port.heardAt > lacpTimeoutMs
      port.heardAt = performance.now()
      port.actor = Buffer.from(frame.subarray(18, 33))
      if (isNews) this.#speakLacp(port)
    } else if (type === tagged && (frame.readUInt16BE(14) & 0xfff) === this.vlan) {
      const untagged = Buffer.concat([frame.subarray(0, 12), frame.subarray(16)])
      const answer = timeAnswer(untagged, Date.now())
      if (answer) this.#toMachine(answer)
      else send(this.#uplink, untagged)
    }
  }

  /** Over the first cable of the bundle; without a bundle nothing is let through. */
  #toMachine(frame: Buffer): void {
    const port = this.#ports.find(({ number }) => number === this.bundled[0])
    const tag = Buffer.alloc(4)
    tag.writeUInt16BE(tagged)
    tag.writeUInt16BE(this.vlan, 2)
    send(port?.socket, Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]))
  }

  #speakLacp(port: Port): void {
    const own = Buffer.from([0x02, 0, 0, 0, 0, port.number])
    const frame = Buffer.alloc(lacpduBytes)
    slowProtocols.address.copy(frame)
    own.copy(frame, 6)
    frame.writeUInt16BE(slowProtocols.type, 12)
    frame.set([lacpSubtype, 1], 14)
    // Actor: system priority, system, key, port priority, port, state.
    frame.set([1, 20, 0x80, 0, 0x02, 0, 0, 0, 0, 0, 0, 1, 0x80, 0, 0, port.number, lacpState], 16)
    // Partner: what it said of itself.
    frame.set([2, 20, ...port.actor], 36)
    frame.set([3, 16], 56)
    send(port.socket, frame)
  }
}

/** null: nobody asks for the time. RFC 5905, section 7.3; over Ethernet, IPv4 and UDP without options. */
function timeAnswer(frame: Buffer, now: number): Buffer | null {
  const bytes = 90
  const isAsked =
    frame.length >= bytes &&
    frame.readUInt16BE(12) === 0x0800 &&
    frame[14] === 0x45 &&
    frame[23] === 17 &&
    frame.readUInt16BE(36) === 123
  if (!isAsked) return null
  const answer = Buffer.from(frame.subarray(0, bytes))
  const swap = (first: number, second: number, length: number) => {
    frame.copy(answer, first, second, second + length)
    frame.copy(answer, second, first, first + length)
  }
  swap(0, 6, 6)
  swap(26, 30, 4)
  swap(34, 36, 2)
  // No checksum of UDP; that of IP is the same both ways.
  answer.writeUInt16BE(0, 40)
  const [version4, server, stratum, precision] = [4, 4, 2, 0xec]
  answer.set([(version4 << 3) | server, stratum, frame[44]!, precision], 42)
  // Root delay and dispersion: next to nothing.
  for (const at of [46, 50]) answer.writeUInt32BE(0x100, at)
  frame.copy(answer, 54, 30, 34)
  frame.copy(answer, 66, 82, 90)
  const [since1900, fraction] = [Math.floor(now / 1000) + 2_208_988_800, (now % 1000) / 1000]
  for (const at of [58, 74, 82]) {
    answer.writeUInt32BE(since1900, at)
    answer.writeUInt32BE(Math.floor(fraction * 2 ** 32), at + 4)
  }
  return answer
}

function send(socket: Socket | undefined, frame: Buffer): void {
  if (!socket || socket.destroyed) return
  const length = Buffer.alloc(4)
  length.writeUInt32BE(frame.length)
  socket.write(Buffer.concat([length, frame]))
}
