/**
 * The way to a peer, over real TLS: who may stand at the other end, and what a peer that hangs, floods or talks nonsense
 * can do to us.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type Ask, FederationClient } from '../../server/federation/client.ts'
import { Transport, TransportError } from '../../server/federation/transport.ts'
import type { Peer } from '../../server/peers/peer.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { parseRequestSignature, requestBytes } from '../../server/protocol/request-signing.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { RemoteError } from '../../server/rooms/remote-rooms.ts'
import { seedOf } from '../peers/site.ts'
import { TestAuthority } from '../support/certificates.ts'
import { signingKey, verify } from '../support/primitives.ts'

const us = 'us.example' as ServerName
const court = 'court.example:8449' as ServerName
const authority = new TestAuthority()
const otherAuthority = new TestAuthority('Another one')
const certificate = authority.issue('court.example')
const ourKey = signingKey(seedOf('us'))

function spkiOf(pem: string): string {
  const der = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('base64').replace('=', '')
}

interface World {
  peer: Peer
  readonly client: FederationClient
  readonly transport: Transport
  /** Requests whose head came. */
  readonly requests: IncomingMessage[]
  readonly connections: Set<Socket>
  get(ask?: Partial<Ask>): Promise<unknown>
  /** What a request fails with. */
  failure(
    t: ExecutionContext,
    ask?: Partial<Ask>,
  ): Promise<{ kind: string; cause: string | undefined; message: string }>
}

async function open(
  t: ExecutionContext,
  listener: RequestListener,
  tls: Peer['tls'] = { spkiSha256: [spkiOf(certificate.certificate)] },
  options: ServerOptions = {},
): Promise<World> {
  const requests: IncomingMessage[] = []
  const connections = new Set<Socket>()
  const server = createServer(
    { cert: certificate.certificate, key: certificate.key, ...options },
    (request, response) => {
      requests.push(request)
      listener(request, response)
    },
  )
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.on('error', () => {}).on('close', () => connections.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const transport = new Transport()
  const world: World = {
    peer: {
      serverName: court,
      kind: 'site',
      suspended: false,
      direction: 'both',
      transport: 'https',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      tls,
      signingKeys: new Map(),
    },
    transport,
    requests,
    connections,
    client: new FederationClient({
      serverName: us,
      peers: {
        get: name => (name === world.peer.serverName ? world.peer : undefined),
        maySendTo: name => name === world.peer.serverName && !world.peer.suspended,
      },
      signer: { keyId: 'ed25519:a' as KeyId, sign: (_keyId, bytes) => ourKey.sign(bytes) },
      transport,
    }),
    get: ask => world.client.json(court, { method: 'GET', path: '/_matrix/federation/v1/x', ...ask }),
    async failure(t, ask) {
      const error = await t.throwsAsync(world.get(ask), { instanceOf: RemoteError })
      const { cause } = error
      return {
        kind: error.kind,
        cause: cause instanceof TransportError ? cause.code : undefined,
        message: error.message,
      }
    },
  }
  t.teardown(() => {
    transport.close()
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return world
}

const answer =
  (body: string, status = 200) =>
  (_request: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(status, { 'Content-Type': 'application/json' }).end(body)

test('a request says to whom it goes, and bears a signature over all of it', async t => {
  const bodies: string[] = []
  const world = await open(t, (request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      bodies.push(text)
      response.end('{}')
    })
  })
  await world.get({ method: 'PUT', query: { a: ['1', 'ä/'], b: undefined }, body: { b: 1, a: 'é' } })
  const [request] = world.requests
  t.is(request!.headers.host, court)
  t.is(request!.url, '/_matrix/federation/v1/x?a=1&a=%C3%A4%2F')
  t.deepEqual(bodies, ['{"a":"é","b":1}'])
  const shown = parseRequestSignature(request!.headers.authorization!)!
  t.like(shown, { origin: us, destination: court, keyId: 'ed25519:a' as KeyId })
  const signed = requestBytes({
    method: 'PUT',
    uri: request!.url!,
    origin: us,
    destination: court,
    content: { a: 'é', b: 1 },
  })
  t.true(verify(signed, shown.signature, ourKey.publicKey))
})

// ── whom we speak to ─────────────────────────────────────────────────────────────────────────────────

const good: readonly (readonly [string, Peer['tls']])[] = [
  ['by its key', { spkiSha256: [spkiOf(certificate.certificate)] }],
  [
    'by one of several keys',
    { spkiSha256: [spkiOf(authority.certificate), spkiOf(certificate.certificate)] },
  ],
  ['by its authority and its name', { spkiSha256: [], ca: authority.certificate }],
  [
    'by its key, whatever the authority',
    { spkiSha256: [spkiOf(certificate.certificate)], ca: otherAuthority.certificate },
  ],
]
for (const [what, tls] of good) {
  test(`a peer is believed ${what}`, async t => {
    const world = await open(t, answer('{"a":1}'), tls)
    t.deepEqual(await world.get(), { a: 1 })
  })
}

const notThePeer: readonly (readonly [string, Peer['tls'], ServerOptions?])[] = [
  ['a wrong TLS pin', { spkiSha256: [spkiOf(authority.certificate)] }],
  ['a pin without any key', { spkiSha256: [] }],
  ['a certificate of another authority', { spkiSha256: [], ca: otherAuthority.certificate }],
  [
    'a certificate of the authority for another name',
    { spkiSha256: [], ca: authority.certificate },
    named('clinic.example'),
  ],
  [
    'a certificate for the address that is dialled',
    { spkiSha256: [], ca: authority.certificate },
    named('127.0.0.1'),
  ],
]
function named(name: string): ServerOptions {
  const { certificate, key } = authority.issue(name)
  return { cert: certificate, key }
}
for (const [what, tls, options] of notThePeer) {
  test(`${what}: nothing is sent`, async t => {
    const world = await open(t, answer('{}'), tls, options)
    const { kind, cause } = await world.failure(t, { method: 'PUT', body: { secret: 1 } })
    t.deepEqual({ kind, cause }, { kind: 'unreachable', cause: 'WRONG_CERTIFICATE' })
    t.is(world.requests.length, 0)
  })
}

test('what anybody may see goes to anybody, over a connection of its own that nothing else uses', async t => {
  const world = await open(t, answer('{}'), { spkiSha256: [spkiOf(authority.certificate)] })
  await world.get({ toAnybody: true })
  t.is((await world.failure(t)).cause, 'WRONG_CERTIFICATE')
  t.is(world.requests.length, 1)
  while (world.connections.size > 0) await new Promise(resolve => setTimeout(resolve, 5))
})

test('a peer that speaks TLS 1.2 at most is not spoken to', async t => {
  const world = await open(t, answer('{}'), undefined, { maxVersion: 'TLSv1.2' })
  t.is((await world.failure(t)).cause, 'UNREACHABLE')
  t.is(world.requests.length, 0)
})

test('a new pin counts for the next request: a connection that was believed before is not used again', async t => {
  const world = await open(t, answer('{}'))
  await world.get()
  await world.get()
  t.is(world.connections.size, 1)
  world.peer = { ...world.peer, tls: { spkiSha256: [spkiOf(authority.certificate)] } }
  t.is((await world.failure(t)).cause, 'WRONG_CERTIFICATE')
  t.is(world.requests.length, 2)
})

test('strangers, suspended peers and peers on media are not dialled', async t => {
  const world = await open(t, answer('{}'))
  const ask = { method: 'GET', path: '/x' } as const
  const stranger = world.client.json('stranger.example' as ServerName, ask)
  t.is((await t.throwsAsync(stranger, { instanceOf: RemoteError })).kind, 'unpinned')
  const { peer } = world
  world.peer = { ...peer, suspended: true }
  t.is((await world.failure(t)).kind, 'unpinned')
  world.peer = { ...peer, transport: 'bundle' }
  t.is((await world.failure(t)).kind, 'unreachable')
  t.is(world.connections.size, 0)
})

test('a peer that is forgotten loses its connections at once, also in the middle of an answer', async t => {
  const world = await open(t, (_request, response) => void response.writeHead(200).write('{"a":'))
  const failed = world.failure(t)
  while (world.requests.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  world.transport.forget(court)
  t.is((await failed).kind, 'unreachable')
})

// ── what a peer can do to us ─────────────────────────────────────────────────────────────────────────

test('a peer that hangs before its answer, or in the middle of it, is given up', async t => {
  const silent = await open(t, () => {})
  t.is((await silent.failure(t, { timeoutMs: 200 })).cause, 'TIMED_OUT')
  const cut = await open(t, (_request, response) => void response.writeHead(200).write('{"a":'))
  t.is((await cut.failure(t, { timeoutMs: 200 })).cause, 'TIMED_OUT')
})

test('a peer that sends a byte now and then does not win time', async t => {
  const world = await open(t, (_request, response) => {
    response.writeHead(200)
    const dripping = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(dripping))
  })
  t.is((await world.failure(t, { timeoutMs: 300 })).cause, 'TIMED_OUT')
})

test('1 GB is not read: neither announced nor without end', async t => {
  const announced = await open(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1_000_000_000 }).write('{')
  })
  t.is((await announced.failure(t, { maxBytes: 1_000 })).cause, 'TOO_LARGE')
  let sent = 0
  const endless = await open(t, (_request, response) => {
    const flood = () => {
      do sent += 65_536
      while (response.write('x'.repeat(65_536)) && sent < 1_000_000_000)
      response.once('drain', flood)
    }
    response.on('error', () => {})
    flood()
  })
  t.is((await endless.failure(t, { maxBytes: 1_000_000 })).cause, 'TOO_LARGE')
  // What was on its way in buffers may be more than we took, and is far less than what it wanted to send.
  t.true(sent < 50_000_000)
})

for (const [what, body] of [
  ['cut', '{"a": [1'],
  ['no JSON at all', '<html>Welcome</html>'],
  ['empty', ''],
  ['no object', '[]'],
  ['with a member twice', '{"a":1,"a":2}'],
  ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
] as const) {
  test(`an answer that is ${what} is none`, async t => {
    const world = await open(t, (_request, response) => void response.end(body))
    const { kind, message } = await world.failure(t)
    t.is(kind, 'unreachable')
    t.is(message, 'court.example:8449 answered something that is no JSON object.')
  })
}

test('a refusal carries the peer’s code; a redirection is a refusal and leads nowhere', async t => {
  const world = await open(t, (request, response) => {
    if (request.url === '/moved') response.writeHead(307, { Location: '/_matrix/federation/v1/x' }).end()
    else response.writeHead(403).end('{"errcode":"M_FORBIDDEN","error":"No."}')
  })
  const refused = await t.throwsAsync(world.get(), { instanceOf: RemoteError })
  t.like(refused, { kind: 'refused', status: 403, errcode: 'M_FORBIDDEN', message: 'No.' })
  const moved = await t.throwsAsync(world.get({ path: '/moved' }), { instanceOf: RemoteError })
  t.like(moved, { kind: 'refused', status: 307 })
  t.is(world.requests.length, 2)
})

test('a peer that does not listen, or hangs up, is unreachable', async t => {
  const world = await open(t, (_request, response) => void response.destroy())
  t.is((await world.failure(t)).cause, 'UNREACHABLE')
  world.peer = { ...world.peer, port: 1 }
  t.is((await world.failure(t)).cause, 'UNREACHABLE')
})

test('a slow peer takes up its own connections, never another one’s', async t => {
  const slow = await open(t, () => {})
  const honest = await open(t, answer('{"a":1}'))
  const waiting = Array.from({ length: 40 }, () => slow.failure(t, { timeoutMs: 1_000 }))
  t.deepEqual(await honest.get(), { a: 1 })
  await Promise.all(waiting)
  t.true(slow.requests.length <= 8)
})

test('what waits for its turn, or for its connection, does not go to a pin that is no more', async t => {
  const world = await open(t, () => {})
  const waiting = Array.from({ length: 20 }, () => world.failure(t, { timeoutMs: 5_000 }))
  world.transport.forget(court)
  t.deepEqual(new Set((await Promise.all(waiting)).map(({ cause }) => cause)), new Set(['UNREACHABLE']))
  t.is(world.requests.length, 0)
  while (world.connections.size > 0) await new Promise(resolve => setTimeout(resolve, 5))
})

test('whatever a request ends with, its turn goes to the next', async t => {
  let request = 0
  const world = await open(t, (asked, response) => {
    const kind = request++ % 4
    if (asked.url === '/good') response.end('{}')
    else if (kind === 0) response.destroy()
    else if (kind === 1) response.writeHead(200).write('{')
    else response.writeHead(kind === 2 ? 500 : 200).end('nonsense')
  })
  const { peer } = world
  for (let i = 0; i < 40; i++) await world.failure(t, { timeoutMs: 200 })
  t.deepEqual(await world.get({ path: '/good' }), {})
  world.peer = { ...peer, port: 1 }
  for (let i = 0; i < 10; i++) t.is((await world.failure(t)).cause, 'UNREACHABLE')
})

test('many requests take turns, and each gets its answer', async t => {
  const world = await open(t, (request, response) => {
    setTimeout(() => response.end(JSON.stringify({ url: request.url })), 2)
  })
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => world.get({ path: `/${i}` })))
  t.deepEqual(
    answers,
    Array.from({ length: 100 }, (_, i) => ({ url: `/${i}` })),
  )
  t.true(world.connections.size <= 8)
})
