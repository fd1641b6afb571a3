/**
 * Syslog lines over TLS to a collector, with its receipt.
 *
 * Spec: RFC 5425. A frame is its length in octets, a space, the line (4.3). The protocol has no acknowledgement, but closing
 * has one: the collector answers our close_notify (4.4) after it has read all that came before. So each batch is a
 * connection of its own, and counts as delivered when the collector has closed its side in turn. One that breaks in
 * between gets the batch again. What a collector loses after it has read and closed is its own loss.
 */
import { connect, type TLSSocket } from 'node:tls'
import { isIpLiteral } from '../protocol/ip-literal.ts'

export interface Collector {
  readonly host: string
  readonly port: number
  /** PEM; the machine's trusted authorities where there is none. */
  readonly authority?: string
  /** With which we show who we are, where the collector asks for it. PEM. */
  readonly identity?: { readonly certificate: string; readonly key: string }
}

export class SyslogFailed extends Error {
  /** For people: what a network or TLS error is called. */
  readonly reason: string
  constructor(reason: string) {
    super(`the collector did not take it: ${reason}`)
    this.name = 'SyslogFailed'
    this.reason = reason
  }
}

export function frame(line: string): Buffer {
  const bytes = Buffer.from(line, 'utf8')
  return Buffer.concat([Buffer.from(`${bytes.length} `, 'ascii'), bytes])
}

/** Resolves when the collector has read all lines. Rejects with SyslogFailed: it may have read some, or all. */
export function deliver(
  { host, port, authority, identity }: Collector,
  lines: readonly string[],
  limitMs = 15_000,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // The configuration has taken the brackets off.
  const isAddress = host.includes(':') || isIpLiteral(host)
  const socket: TLSSocket = connect({
    host,
    port,
    // Spec: RFC 6066, 3: an address is no name to ask for. The certificate has to be for it all the same.
    ...(isAddress ? {} : { servername: host }),
    minVersion: 'TLSv1.2',
    ...(authority === undefined ? {} : { ca: authority }),
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
  })
  const fail = (reason: string) => {
    clearTimeout(timer)
    socket.destroy()
    reject(new SyslogFailed(reason))
  }
  const timer = setTimeout(() => fail('no receipt in time'), limitMs)
  let isSent = false
  socket.once('secureConnect', () => {
    socket.end(Buffer.concat(lines.map(frame)), () => {
      isSent = true
    })
  })
  // Whatever it says: the end of it is what we wait for.
  socket.resume()
  socket.once('end', () => {
    if (!isSent) return fail('closed before it had read all')
    clearTimeout(timer)
    socket.destroy()
    resolve()
  })
  socket.once('error', error => fail('code' in error ? String(error.code) : error.name))
  socket.once('close', () => fail('closed without a receipt'))
  return promise
}
