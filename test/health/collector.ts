/** A syslog collector over TLS, as strict as the RFCs are; and one that behaves badly where a test wants it. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Collector } from '../../server/health/syslog-transport.ts'
import { TestAuthority } from '../support/certificates.ts'

export interface Received {
  readonly facility: number
  readonly severity: number
  readonly time: string
  readonly hostname: string
  readonly messageId: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what came
  readonly message: any
  readonly raw: string
}

/** `cut`: the connection is reset when all has come; `mute`: it never closes its side. */
export type Manner = 'good' | 'cut' | 'mute'

export interface TestCollector {
  readonly at: Collector
  readonly lines: Received[]
  manner: Manner
  close(): Promise<void>
}

const authority = new TestAuthority()

export async function startCollector({ name = 'localhost', port = 0 } = {}): Promise<TestCollector> {
  const { certificate, key } = authority.issue(name)
  const sockets = new Set<Socket>()
  const tls = createTlsServer({ cert: certificate, key, allowHalfOpen: true }, socket => {
    const chunks: Buffer[] = []
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => {
      if (collector.manner !== 'good') return
      collector.lines.push(...framesOf(Buffer.concat(chunks)).map(parseLine))
      socket.end()
    })
  })
  tls.on('tlsClientError', () => {})
  // A handshake that failed leaves its connection half open.
  tls.on('connection', (socket: Socket) => sockets.add(socket))
  await listening(tls, 0)
  // In front of it, so that a connection can break as connections do.
  const wire = createServer({ allowHalfOpen: true }, client => {
    const inner = connect({ port: portOf(tls), host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [client, inner]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('end', () => {
      if (collector.manner === 'cut') client.resetAndDestroy()
    })
    client.pipe(inner).pipe(client)
  })
  await listening(wire, port)
  const collector: TestCollector = {
    at: { host: 'localhost', port: portOf(wire), authority: authority.certificate },
    lines: [],
    manner: 'good',
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await Promise.all([wire, tls].map(server => new Promise(closed => server.close(closed))))
    },
  }
  return collector
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise(ready => server.listen(port, '127.0.0.1', ready))
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** RFC 5425, 4.3: SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG, and nothing else. */
export function framesOf(bytes: Buffer): string[] {
  const frames: string[] = []
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const length = bytes.subarray(at, space).toString('latin1')
    if (!/^[1-9][0-9]*$/.test(length)) throw new Error(`no MSG-LEN: ${JSON.stringify(length)}`)
    const end = space + 1 + Number(length)
    if (end > bytes.length) throw new Error('a frame is cut')
    frames.push(bytes.subarray(space + 1, end).toString('utf8'))
    at = end
  }
  return frames
}

/** RFC 5424, 6. */
const grammar = new RegExp(
  [
    /^<([1-9][0-9]{0,2}|0)>1 /,
    /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) /,
    /([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /,
    /((?:\[[!#-<>-\\^-~]{1,32}(?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+) /,
    /([\x20-\x7e]+)$/,
  ]
    .map(({ source }) => source)
    .join(''),
)

export function parseLine(raw: string): Received {
  const match = grammar.exec(raw)
  if (!match) throw new Error(`not RFC 5424: ${raw}`)
  const [, priority, time = '', hostname = '', , , messageId = '', , message = ''] = match
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    time,
    hostname,
    messageId,
    message: JSON.parse(message),
    raw,
  }
}
