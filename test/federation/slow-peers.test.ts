/** Peers that hang in the middle of a request, or send a byte a second, or 1 GB: what they hold, and for how long. */
import { connect, type Socket } from 'node:net'
import { mock } from 'node:test'
import test, { type ExecutionContext } from 'ava'
import { authenticatePeer, maxPeerBodyBytes } from '../../server/federation-api/authenticate.ts'
import { BodyBudget } from '../../server/federation-api/body-budget.ts'
import { maxBodyMs } from '../../server/http/body.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { signRequest } from '../../server/protocol/request-signing.ts'
import type { KeyId } from '../../server/protocol/signing.ts'
import { seedOf } from '../peers/site.ts'
import { startHttp } from '../support/http.ts'
import { signingKey, verify } from '../support/primitives.ts'

const us = 'us.example' as ServerName
const court = 'court.example' as ServerName
const path = '/_matrix/federation/v1/send/1'
const key = signingKey(seedOf('court'))

async function open(t: ExecutionContext) {
  let acted = 0
  const authenticate = authenticatePeer({
    serverName: us,
    peers: { mayReceiveFrom: name => name === court },
    requestKey: async () => key.publicKey,
    verify,
  })
  const http = await startHttp([
    {
      method: 'PUT',
      path,
      steps: [
        authenticate,
        ctx => {
          acted++
          ctx.body = {}
        },
      ],
    },
  ])
  t.teardown(() => http.close())
  return { http, acted: () => acted }
}

const authorization = (content: string) =>
  signRequest(
    { method: 'PUT', uri: path, origin: court, destination: us, content },
    'ed25519:a' as KeyId,
    key.sign,
  )

/** A request whose head is there and whose body is not; `ended` has what was answered until the connection closed. */
async function begin(port: number, length: number | 'chunked', origin: string = court) {
  const socket: Socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk
  })
  const ended = new Promise<string>(resolve =>
    socket.on('close', () => resolve(answer)).on('error', () => {}),
  )
  const signed = authorization('{}').replace(court, origin)
  const size = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: us.example\r\nAuthorization: ${signed}\r\n${size}\r\n\r\n`)
  return { socket, ended }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
const honest = (http: Awaited<ReturnType<typeof open>>['http']) =>
  http.call('PUT', path, { body: '{}', headers: { authorization: authorization('{}') } })

test.serial('a peer that hangs in the middle, and one that sends 1 byte a second, are cut off', async t => {
  const { http, acted } = await open(t)
  mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() })
  try {
    const hanging = await begin(http.port, 1_000)
    const dripping = await begin(http.port, 1_000)
    hanging.socket.write('{"pdus":')
    dripping.socket.write('{')
    // Both are being read.
    for (let i = 0; i < 50; i++) await new Promise(resolve => setTimeout(resolve, 1))
    for (let second = 0; second <= maxBodyMs / 1000 + 5; second++) {
      if (!dripping.socket.destroyed) dripping.socket.write(' ')
      mock.timers.tick(1_000)
      await turn()
      if (second === 10) t.is((await honest(http)).status, 200)
    }
    for (const { ended } of [hanging, dripping]) {
      const answer = await ended
      t.regex(answer, /^HTTP\/1\.1 408/)
      t.regex(answer, /The body took longer than 30 s/)
    }
  } finally {
    mock.timers.reset()
  }
  t.is(acted(), 1)
})

test.serial('1 GB: what is announced is not read; what is not announced is cut at the limit', async t => {
  const { http, acted } = await open(t)
  const announced = await begin(http.port, 1_000_000_000)
  t.regex(await announced.ended, /^HTTP\/1\.1 413[\s\S]*M_TOO_LARGE/)
  const endless = await begin(http.port, 'chunked')
  const piece = Buffer.from(`10000\r\n${'x'.repeat(0x1_00_00)}\r\n`)
  let sent = 0
  while (!endless.socket.destroyed && sent < 1_000_000_000) {
    sent += piece.length
    if (!endless.socket.write(piece)) {
      await new Promise(resolve => endless.socket.once('drain', resolve).once('close', resolve))
    }
  }
  await endless.ended
  t.true(sent < 4 * maxPeerBodyBytes)
  t.is(acted(), 0)
  t.is((await honest(http)).status, 200)
})

test.serial('of a stranger nothing is read, however much it wants to send', async t => {
  const { http } = await open(t)
  const stranger = await begin(http.port, 10_000_000, 'stranger.example')
  t.regex(await stranger.ended, /^HTTP\/1\.1 403[\s\S]*M_FORBIDDEN/)
})

test.serial('a connection that breaks in the middle leaves no act and no line in the log', async t => {
  const { http, acted } = await open(t)
  const { socket, ended } = await begin(http.port, 1_000)
  socket.write('{"pdus":')
  for (let i = 0; i < 20; i++) await turn()
  socket.destroy()
  await ended
  t.is((await honest(http)).status, 200)
  t.is(acted(), 1)
  t.deepEqual(http.lines, [])
})

test.serial('large bodies that hang do not pile up: an address has its share, and gets it back', async t => {
  const { http, acted } = await open(t)
  const hanging = []
  for (let i = 0; i < 3; i++) hanging.push(await begin(http.port, maxPeerBodyBytes))
  while ((await honest(http)).status !== 200);
  const refused = await begin(http.port, maxPeerBodyBytes)
  t.regex(await refused.ended, /^HTTP\/1\.1 429[\s\S]*M_LIMIT_EXCEEDED/)
  // What is small still passes.
  t.is((await honest(http)).status, 200)
  for (const { socket, ended } of hanging) {
    socket.destroy()
    await ended
  }
  const large = `{"a":"${'x'.repeat(maxPeerBodyBytes - 100)}"}`
  const headers = { authorization: authorization(large) }
  t.is((await http.call('PUT', path, { body: large, headers })).status, 200)
  t.is(acted(), 3)
})

test('thousands of addresses together hold no more than the common limit, and not at a peer’s cost', t => {
  const budget = new BodyBudget({ perAddressBytes: 10, unprovedBytes: 100 })
  budget.prove('peer')
  const held = Array.from({ length: 10 }, (_, i) => budget.take(`address ${i}`, 10))
  t.throws(() => budget.take('another', 1), { message: /Too many large requests/ })
  t.throws(() => budget.take('address 1', 1))
  const ofPeer = budget.take('peer', 10)
  t.throws(() => budget.take('peer', 1))
  held[0]!()
  t.notThrows(() => budget.take('another', 10))
  ofPeer()
  t.notThrows(() => budget.take('peer', 10))
  // Who proves itself in the middle gives back what it took as a stranger, once.
  budget.prove('address 1')
  held[1]!()
  t.notThrows(() => budget.take('a third', 10))
  t.throws(() => budget.take('a fourth', 1))
})
