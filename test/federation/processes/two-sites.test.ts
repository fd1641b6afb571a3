/** Two real servers, each a process with its own certificate, pinned to each other. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { call } from '../../support/client.ts'
import { type FederatedServer, pinSite, startFederated } from '../../support/federated.ts'
import { freePort } from '../../support/free-port.ts'
import { eventually, person } from '../../support/person.ts'
import { sleep } from '../../support/server-process.ts'

const script = join(import.meta.dirname, '../../../provisioning/make-certificate.ts')

async function start(t: ExecutionContext, host: string): Promise<FederatedServer> {
  const server = await startFederated(host)
  t.teardown(() => server.process.remove())
  return server
}

async function pair(t: ExecutionContext): Promise<[FederatedServer, FederatedServer]> {
  const servers = await Promise.all([start(t, 'a.example'), start(t, 'b.example')])
  const [a, b] = servers
  await pinSite(a, b)
  await pinSite(b, a)
  return servers
}

/** As anybody: trusting the server's own authority, signing nothing. */
async function ask(server: FederatedServer, method: string, path: string) {
  const asking = request({
    host: '127.0.0.1',
    port: server.federationPort,
    servername: server.serverName.split(':')[0],
    ca: server.authority,
    method,
    path,
    agent: false,
  }).end()
  const [response] = await once(asking, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode as number, body: JSON.parse(text) }
}

const peerSeenBy = async (server: FederatedServer, other: FederatedServer) =>
  (await server.admin('GET', `/peers/${encodeURIComponent(other.serverName)}`)).body
const ourCard = async (server: FederatedServer) => (await server.admin('GET', '/site-card')).body.card

/** The other has the card of now; a renewal issues two, one after the other. */
async function hasCard(t: ExecutionContext, of: FederatedServer, at: FederatedServer) {
  for (let i = 0; i < 600; i++) {
    const { serial } = await ourCard(of)
    if ((await peerSeenBy(at, of)).serial === serial) return t.pass()
    await sleep(100)
  }
  t.fail(`${at.serverName} never got the card of ${of.serverName}`)
}

test.serial(
  'the first start makes a certificate; a stranger learns keys and version, and nothing else',
  async t => {
    const a = await start(t, 'a.example')
    const keys = await ask(a, 'GET', '/_matrix/key/v2/server')
    t.is(keys.status, 200)
    t.is(keys.body.server_name, a.serverName)
    t.is((await ask(a, 'GET', '/_matrix/federation/v1/version')).body.server.name, 'Letro')
    for (const [method, path] of [
      ['GET', '/_letro/federation/v1/card'],
      ['GET', '/_matrix/federation/v1/publicRooms'],
      ['GET', '/_matrix/federation/v1/state/!r:a.example?event_id=$x'],
      ['PUT', '/_matrix/federation/v1/send/1'],
    ] as const) {
      const { status, body } = await ask(a, method, path)
      t.true(status === 401 || status === 404, `${path}: ${status}`)
      t.deepEqual(Object.keys(body).sort(), ['errcode', 'error'])
    }
    // Each port has its own work.
    t.is((await ask(a, 'GET', '/_matrix/client/versions')).status, 404)
    t.is((await ask(a, 'GET', '/_letro/admin/v1/peers')).status, 404)
    t.is((await call(a.process.base, 'GET', '/_matrix/federation/v1/version')).status, 404)

    const old = connect({
      host: '127.0.0.1',
      port: a.federationPort,
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    })
    const [error] = await once(old, 'error')
    t.regex(String(error.code), /PROTOCOL_VERSION/)
  },
)

test.serial(
  'a rotated key, and a renewed certificate with another key, reach the peer while both run',
  async t => {
    const [a, b] = await pair(t)
    const first = (await peerSeenBy(b, a)).serial
    await a.admin('POST', '/site-card/rotate-key', {})
    await hasCard(t, a, b)
    const second = (await peerSeenBy(b, a)).serial
    t.true(second > first)

    const tls = join(a.process.folder, 'data', 'tls')
    const before = (await ourCard(a)).keys.tls
    rmSync(join(tls, 'key.pem'))
    await promisify(execFile)(process.execPath, [
      script,
      'make',
      tls,
      String(Date.now()),
      'a.example',
      '127.0.0.1',
    ])
    a.process.signal('SIGHUP')
    for (let i = 0; i < 600 && JSON.stringify((await ourCard(a)).keys.tls) === JSON.stringify(before); i++)
      await sleep(50)
    t.notDeepEqual((await ourCard(a)).keys.tls, before)
    await hasCard(t, a, b)
    // b speaks with the new certificate: its own news come through.
    await b.admin('POST', '/site-card/rotate-key', {})
    await hasCard(t, b, a)
    t.regex(readFileSync(join(tls, 'certificate.pem'), 'utf8'), /BEGIN CERTIFICATE/)
  },
)

test.serial('what changed while a peer was away, or both were, is known once both are there', async t => {
  const [a, b] = await pair(t)
  await b.process.stop()
  await a.admin('POST', '/site-card/rotate-key', {})
  await b.process.start()
  await a.process.stop()
  rmSync(join(a.process.folder, 'data', 'tls', 'key.pem'))
  rmSync(join(a.process.folder, 'data', 'tls', 'certificate.pem'))
  await a.process.start()
  await hasCard(t, a, b)
  await hasCard(t, b, a)
  await b.admin('POST', '/site-card/rotate-key', {})
  await hasCard(t, b, a)
})

test.serial(
  'two sites whose certificates both changed while they were away find each other again',
  async t => {
    const [a, b] = await pair(t)
    await Promise.all([a.process.stop(), b.process.stop()])
    for (const { process } of [a, b]) {
      rmSync(join(process.folder, 'data', 'tls', 'key.pem'))
      rmSync(join(process.folder, 'data', 'tls', 'certificate.pem'))
    }
    await Promise.all([a.process.start(), b.process.start()])
    await hasCard(t, a, b)
    await hasCard(t, b, a)
  },
)

test.serial('a suspended peer gets no news, and has them when it is resumed', async t => {
  const [a, b] = await pair(t)
  const path = `/peers/${encodeURIComponent(b.serverName)}/suspended`
  await a.admin('PUT', path, { suspended: true })
  const before = (await peerSeenBy(b, a)).serial
  await a.admin('POST', '/site-card/rotate-key', {})
  await sleep(500)
  t.is((await peerSeenBy(b, a)).serial, before)
  await a.admin('PUT', path, { suspended: false })
  await hasCard(t, a, b)
})

test.serial(
  'a peer that cannot bring its card to us is asked for it when its certificate changed',
  async t => {
    const [a, b] = await pair(t)
    const direct = (at: FederatedServer, of: FederatedServer, direction: string) =>
      at.admin('PUT', `/peers/${encodeURIComponent(of.serverName)}`, { direction })
    await direct(a, b, 'outbound')
    await direct(b, a, 'inbound')
    await b.process.stop()
    for (const name of ['key.pem', 'certificate.pem']) {
      rmSync(join(b.process.folder, 'data', 'tls', name), { force: true })
    }
    await b.process.start()
    const bob = await person(b, 'bob')
    const { room_id: room } = await bob.ask('POST', '/createRoom', { preset: 'public_chat' })
    const ann = await person(a, 'ann')
    // The first request meets the certificate that nobody knows.
    const comeIn = () => ann.call('POST', `/join/${encodeURIComponent(room)}?via=${b.serverName}`, {})
    await eventually(async () => (await comeIn()).status === 200)
    t.is((await peerSeenBy(a, b)).serial, (await ourCard(b)).serial)
    await ann.say(room, 'here I am')
    await eventually(async () => (await bob.texts(room)).includes('here I am'))
  },
)

test.serial('a server that moves to another address is found there by its peer', async t => {
  const [a, b] = await pair(t)
  const ann = await person(a, 'ann')
  const bob = await person(b, 'bob')
  const { room_id: room } = await ann.ask('POST', '/createRoom', { preset: 'public_chat' })
  await bob.join(room, a.serverName)
  await a.process.stop()
  const port = await freePort()
  a.process.configure({
    'listen.federation': `127.0.0.1:${port}`,
    'federation.address': `127.0.0.1:${port}`,
  })
  // Said while nobody knows where it is.
  await bob.say(room, 'where are you?')
  await a.process.start()
  await hasCard(t, a, b)
  t.deepEqual((await ourCard(a)).address, { host: '127.0.0.1', port })
  await eventually(async () => (await ann.texts(room)).includes('where are you?'))
  await ann.say(room, 'here')
  await eventually(async () => (await bob.texts(room)).includes('here'))
})
