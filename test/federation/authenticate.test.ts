/** Who is asking: real requests over HTTP, signed well and badly, against the key ring of a server with two pins. */
import test from 'ava'
import { KeyRing } from '../../server/federation/key-ring.ts'
import { authenticatePeer } from '../../server/federation-api/authenticate.ts'
import type { Route } from '../../server/http/route.ts'
import type { Peer, PeerKey } from '../../server/peers/peer.ts'
import { canonicalJson } from '../../server/protocol/canonical-json.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { signRequest } from '../../server/protocol/request-signing.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { seedOf } from '../peers/site.ts'
import { startHttp } from '../support/http.ts'
import { signingKey, verify } from '../support/primitives.ts'

const us = 'us.example' as ServerName
const court = 'court.example' as ServerName
const clinic = 'clinic.example' as ServerName
const stranger = 'stranger.example' as ServerName
const now = 1_800_000_000_000

const key = (name: string) => signingKey(seedOf(name))
const pinned = (name: string, expiredTs?: number): PeerKey => ({
  publicKey: key(name).publicKey,
  ...(expiredTs === undefined ? {} : { expiredTs }),
})

function peerOf(serverName: ServerName, keys: Record<string, PeerKey>): Peer {
  return {
    serverName,
    kind: 'homeserver',
    suspended: false,
    direction: 'both',
    transport: 'https',
    host: '127.0.0.1',
    port: 1,
    tls: { spkiSha256: [] },
    signingKeys: new Map(Object.entries(keys)) as unknown as Peer['signingKeys'],
  }
}

const path = '/_matrix/federation/v1/send/1?a=%2F&b'

async function open(limits: Parameters<typeof startHttp>[1] = {}) {
  const pins = new Map([
    [court, peerOf(court, { 'ed25519:now': pinned('court now'), 'ed25519:old': pinned('court old', now) })],
    [clinic, peerOf(clinic, { 'ed25519:now': pinned('clinic now') })],
  ])
  const world = {
    pins,
    suspended: new Set<ServerName>(),
    acted: [] as JsonObject[],
    learned: [] as ServerName[],
  }
  let learn = (_server: ServerName) => {}
  const whenLearning = (act: typeof learn) => {
    learn = act
  }
  const keyRing = new KeyRing({
    serverName: us,
    peers: { get: name => pins.get(name) },
    ownKeys: () => new Map(),
    clock: () => now,
    learn: async server => {
      world.learned.push(server)
      learn(server)
    },
  })
  const authenticate = authenticatePeer({
    serverName: us,
    peers: { mayReceiveFrom: name => pins.has(name) && !world.suspended.has(name) },
    requestKey: (server, keyId) => keyRing.requestKey(server, keyId),
    verify,
  })
  const act: Route['steps'][number] = ctx => {
    world.acted.push({ origin: ctx.state.origin, ...ctx.state.body })
    ctx.body = {}
  }
  const routePath = '/_matrix/federation/v1/send/:txnId'
  const http = await startHttp(
    [
      { method: 'PUT', path: routePath, steps: [authenticate, act] },
      { method: 'GET', path: routePath, steps: [authenticate, act] },
    ],
    limits,
  )
  return { ...world, http, whenLearning }
}

interface Wish {
  readonly origin?: ServerName
  readonly destination?: ServerName
  readonly keyId?: string
  /** Who really signs. */
  readonly signer?: string
  /** What is signed, where it is not what is sent. */
  readonly uri?: string
  readonly content?: JsonObject
  readonly method?: string
}

function authorization(body: JsonObject | string | undefined, wish: Wish = {}): string {
  const { origin = court, destination = us, keyId = 'ed25519:now', signer = 'court now' } = wish
  const content = wish.content ?? body
  const request = { method: wish.method ?? 'PUT', uri: wish.uri ?? path, origin, destination }
  return signRequest(
    content === undefined ? request : { ...request, content },
    keyId as KeyId,
    key(signer).sign,
  )
}

type Server = Awaited<ReturnType<typeof open>>
async function put(server: Server, body: JsonObject, wish?: Wish) {
  const headers = { authorization: authorization(body, wish) }
  return server.http.call('PUT', path, { body: canonicalJson(body), headers })
}

test('a request with a good signature is acted upon as its peer’s, whatever the body’s form', async t => {
  const server = await open()
  t.is((await put(server, { b: 1, a: 2 })).status, 200)
  // Signed over the canonical form, sent in another one.
  const headers = { authorization: authorization({ b: 1, a: 2 }) }
  t.is((await server.http.call('PUT', path, { body: '{ "b": 1, "a" : 2 }', headers })).status, 200)
  // What has no canonical form is signed as it stands.
  const fraction = '{"order":0.5}'
  const asSent = { authorization: authorization(fraction) }
  t.is((await server.http.call('PUT', path, { body: fraction, headers: asSent })).status, 200)
  t.deepEqual(server.acted, [
    { origin: court, b: 1, a: 2 },
    { origin: court, b: 1, a: 2 },
    { origin: court, order: 0.5 },
  ])
  const get = { authorization: authorization(undefined, { method: 'GET' }) }
  t.is((await server.http.call('GET', path, { headers: get })).status, 200)
  await server.http.close()
})

const bad: readonly (readonly [string, Wish])[] = [
  ['by another key under the pinned key’s name', { signer: 'thief' }],
  ['by another peer in this one’s name', { signer: 'clinic now' }],
  ['by a key whose end is past', { keyId: 'ed25519:old', signer: 'court old' }],
  ['by a key that nobody pinned', { keyId: 'ed25519:x', signer: 'thief' }],
  ['for another server', { destination: clinic }],
  ['over another path', { uri: '/_matrix/federation/v1/send/2?a=%2F&b' }],
  ['over another query', { uri: '/_matrix/federation/v1/send/1?a=/&b' }],
  ['over another body', { content: { pdus: [1] } }],
  ['over another method', { method: 'POST' }],
]

for (const [what, wish] of bad) {
  test(`a bad signature is 401 and nothing is done: ${what}`, async t => {
    const server = await open()
    const { status, body } = await put(server, { pdus: [] }, wish)
    t.is(status, 401)
    t.is(body.errcode, 'M_UNAUTHORIZED')
    t.deepEqual(server.acted, [])
    t.is((await put(server, { honest: true })).status, 200)
    await server.http.close()
  })
}

for (const header of [
  '',
  'Bearer x',
  'X-Matrix ',
  'X-Matrix origin=court.example',
  `X-Matrix ${'x'.repeat(9_000)}`,
]) {
  test(`a header that is no signature is 401: ${header.slice(0, 30)}`, async t => {
    const server = await open()
    const headers: Record<string, string> = header === '' ? {} : { authorization: header }
    const { status, body } = await server.http.call('PUT', path, { body: '{}', headers })
    t.is(status, 401)
    t.is(body.errcode, 'M_UNAUTHORIZED')
    t.deepEqual(server.acted, [])
    await server.http.close()
  })
}

test('an unpinned server, a suspended one and we ourselves get the same 403, before the body is read', async t => {
  const server = await open()
  server.suspended.add(clinic)
  const answers = []
  for (const origin of [stranger, clinic, us]) {
    const headers = { authorization: authorization('{', { origin, signer: `${origin.split('.')[0]} now` }) }
    // No JSON: whoever had read it would say so.
    const { status, body } = await server.http.call('PUT', path, { body: '{', headers })
    answers.push({ status, body })
  }
  t.is(new Set(answers.map(answer => JSON.stringify(answer))).size, 1)
  t.is(answers[0]!.status, 403)
  t.is(answers[0]!.body.errcode, 'M_FORBIDDEN')
  t.deepEqual(server.learned, [])
  t.deepEqual(server.acted, [])
  await server.http.close()
})

test('a body that is no JSON object is 400', async t => {
  const server = await open()
  for (const [body, errcode] of [
    ['{"pdus": [', 'M_NOT_JSON'],
    ['', 'M_UNAUTHORIZED'],
    ['[]', 'M_BAD_JSON'],
    ['null', 'M_BAD_JSON'],
    [Buffer.from('{"a":"\xff"}', 'latin1'), 'M_NOT_JSON'],
  ] as const) {
    const headers = { authorization: authorization({}) }
    const answer = await server.http.call('PUT', path, { body, headers })
    t.is(answer.body.errcode, errcode, String(body))
  }
  t.deepEqual(server.acted, [])
  await server.http.close()
})

test('a new key of a peer is asked for once; then its requests are good', async t => {
  const server = await open()
  const wish = { keyId: 'ed25519:next', signer: 'court next' }
  server.whenLearning(() => {
    server.pins.set(court, peerOf(court, { 'ed25519:next': pinned('court next') }))
  })
  t.is((await put(server, {}, wish)).status, 200)
  t.is((await put(server, {}, wish)).status, 200)
  t.deepEqual(server.learned, [court])
  // Names of keys that do not exist make us ask no more.
  for (const keyId of ['ed25519:1', 'ed25519:2', 'ed25519:3']) {
    t.is((await put(server, {}, { keyId, signer: 'thief' })).status, 401)
  }
  t.deepEqual(server.learned, [court])
  await server.http.close()
})

test('a peer that is suspended while its body comes is not acted for', async t => {
  const server = await open()
  server.whenLearning(() => {
    server.pins.set(court, peerOf(court, { 'ed25519:next': pinned('court next') }))
    server.suspended.add(court)
  })
  const { status, body } = await put(server, {}, { keyId: 'ed25519:next', signer: 'court next' })
  t.is(status, 403)
  t.is(body.errcode, 'M_FORBIDDEN')
  t.deepEqual(server.acted, [])
  await server.http.close()
})

test('who floods is slowed down: by address without a good signature, by peer with one', async t => {
  const server = await open({
    badToken: { perSecond: 0.001, burst: 2 },
    federation: { perSecond: 0.001, burst: 3 },
  })
  const statuses = async (wish: Wish, times: number) => {
    const seen = []
    for (let i = 0; i < times; i++) seen.push((await put(server, {}, wish)).status)
    return seen
  }
  t.deepEqual(await statuses({}, 4), [200, 200, 200, 429])
  t.deepEqual(await statuses({ origin: clinic, signer: 'clinic now' }, 1), [200])
  t.deepEqual(await statuses({ signer: 'thief' }, 3), [401, 401, 429])
  // Then nothing more of that address is read.
  const headers = { authorization: authorization({}, { signer: 'thief' }) }
  t.is((await server.http.call('PUT', path, { body: '{', headers })).status, 429)
  await server.http.close()
})
