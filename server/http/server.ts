/**
 * Listens, speaks HTTP (or TLS), keeps slow clients from holding what others need, and stops in good order.
 *
 * Assumes that every handler ends by itself or by `stopping`. Never trusts a proxy's or a client's word on
 * who or where it is (`app.proxy`, `ctx.hostname`).
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { trackConnections } from './connections.ts'
import { answerError } from './errors.ts'
import type { Log } from './log.ts'
import { addressGroup, type RateLimits } from './rate-limit.ts'
import type { Context, RequestState, Route, Step } from './route.ts'
import { routerOf } from './router.ts'
import { headersOfEveryAnswer } from './security-headers.ts'

export interface HttpOptions {
  readonly routes: readonly Route[]
  readonly limits: RateLimits
  readonly log: Log
  /** People reach us by https, through our own TLS or what stands before us. */
  readonly https: boolean
  /** The listener of the socket in the data folder. */
  readonly isLocal?: boolean
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls?: TlsOptions
}

export interface TlsOptions {
  readonly certificate: string
  readonly key: string
  /** TLS 1.2 where browsers and tools of people come; 1.3 between servers. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export interface HttpServer {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** For connections from now on. */
  renewCertificate(tls: Pick<TlsOptions, 'certificate' | 'key'>): void
  /** Takes no new connections, lets requests finish, and after `graceMs` cuts what is left. */
  close(graceMs: number): Promise<void>
}

/** The whole way of a request as one function for `http.createServer`. */
export function requestListener({
  routes,
  limits,
  log,
  https,
  isLocal = false,
}: HttpOptions): RequestListener {
  const app = new Koa<RequestState>()
  const headers = headersOfEveryAnswer({ https })
  app.use(handleRequest({ route: routerOf(routes), limits, log, headers, isLocal }))
  // What fails after the steps are over: a download whose client went away, a file that vanished while it was sent.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (!brokenConnection.has(error.code ?? ''))
      log.error('answer failed', { code: error.code ?? error.name })
  })
  return app.callback()
}

const brokenConnection = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECANCELED',
  'HPE_INVALID_EOF_STATE',
  'ERR_STREAM_PREMATURE_CLOSE',
])

interface Handling {
  readonly route: (ctx: Context) => Promise<void>
  readonly limits: RateLimits
  readonly log: Log
  readonly headers: Map<string, string>
  readonly isLocal: boolean
}

/** The way of every request around the steps of its route. */
function handleRequest({ route, limits, log, headers, isLocal }: Handling): Step {
  return async function handleRequest(ctx) {
    ctx.state.limits = limits
    ctx.state.isLocal = isLocal
    ctx.state.address = addressGroup(ctx.req.socket.remoteAddress)
    ctx.res.setHeaders(headers)
    try {
      await route(ctx)
    } catch (error) {
      answerError(ctx, error, log)
    }
    answerJson(ctx)
  }
}

/**
 * Writes an answer of JSON, nearly every one, at once; streams, pages and empty answers are left to Koa, which asks
 * each body what it is and each header whether it is there.
 */
function answerJson(ctx: Context): void {
  const { body, res } = ctx
  if (!isPlainObject(body) || ctx.method === 'HEAD' || !ctx.writable || ctx.respond === false) return
  ctx.respond = false
  const text = JSON.stringify(body)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.end(text)
}

function isPlainObject(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype
}

export async function listen(listener: RequestListener, options: ListenOptions): Promise<HttpServer> {
  const { host, port, tls } = options
  const timeouts = {
    // Headers of an honest client fit in one packet.
    headersTimeout: 10_000,
    // The longest request is a backup that is uploaded; all other bodies have shorter limits of their own (body.ts).
    requestTimeout: 24 * 3_600_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16 * 1024,
  }
  const open = (): Server =>
    tls
      ? createTlsServer(
          {
            ...timeouts,
            cert: tls.certificate,
            key: tls.key,
            minVersion: tls.minVersion ?? 'TLSv1.2',
            handshakeTimeout: 10_000,
          },
          listener,
        )
      : createServer(timeouts, listener)
  // `localhost` is both loopback addresses: which of them a browser or a tool tries first is its own choice.
  const server = open()
  const servers = [server]
  const connections = [trackConnections(server, tls !== undefined)]
  const address = await bind(server, port, host === 'localhost' ? '127.0.0.1' : host)
  if (host === 'localhost') {
    const second = open()
    try {
      await bind(second, address.port, '::1')
      connections.push(trackConnections(second, tls !== undefined))
      servers.push(second)
    } catch (error) {
      if (!hasNoIpv6.has((error as NodeJS.ErrnoException).code ?? '')) {
        server.close()
        throw error
      }
    }
  }
  return {
    host: address.address,
    port: address.port,
    tls: tls !== undefined,
    renewCertificate({ certificate, key }) {
      for (const each of servers) {
        if (each instanceof TlsServer) {
          each.setSecureContext({ cert: certificate, key, minVersion: tls?.minVersion ?? 'TLSv1.2' })
        }
      }
    },
    close: async graceMs => void (await Promise.all(connections.map(each => each.close(graceMs)))),
  }
}

/**
 * At a Unix socket that only this user (and root) can reach. What a crash left there is removed: the lock on the data folder
 * says that nobody else listens. Rejects with ENAMETOOLONG or EINVAL where the path is longer than a socket's may be.
 */
export async function listenAtSocket(
  listener: RequestListener,
  path: string,
): Promise<Pick<HttpServer, 'close'>> {
  rmSync(path, { force: true })
  const server = createServer(listener)
  const { close } = trackConnections(server, false)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
  chmodSync(path, 0o600)
  return { close }
}

const hasNoIpv6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])

function bind(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
