import { connect } from 'node:net'
import test from 'ava'
import type { Route } from '../../server/http/route.ts'
import { startHttp } from '../support/http.ts'

/** Answers when `release` says so. */
const slow = (entered = () => {}, release: Promise<void> = Promise.resolve()): Route => ({
  method: 'GET',
  path: '/slow',
  steps: [
    async ctx => {
      entered()
      await release
      ctx.body = { done: true }
    },
  ],
})

/** Longer than a test may take: who waits for it fails. */
const forEver = 10 * 60_000

test('closing lets a request in flight finish and takes no new one', async t => {
  const entered = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const server = await startHttp([slow(entered.resolve, release.promise)])
  const inFlight = server.call('GET', '/slow')
  await entered.promise
  const closed = server.close(forEver)
  await t.throwsAsync(server.call('GET', '/slow'))
  release.resolve()
  const answer = await inFlight
  t.deepEqual(answer.body, { done: true })
  t.is(answer.headers.get('connection'), 'close')
  await closed
})

test('closing lets a slow client take the whole answer', async t => {
  const size = 32 * 1024 * 1024
  const written = Promise.withResolvers<void>()
  const server = await startHttp([
    {
      method: 'GET',
      path: '/large',
      steps: [
        ctx => {
          ctx.body = Buffer.alloc(size)
          ctx.res.once('prefinish', written.resolve)
        },
      ],
    },
  ])
  const client = connect(server.port, '127.0.0.1')
  client.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  await written.promise
  const closed = server.close(forEver)
  let taken = 0
  for await (const chunk of client) {
    taken += chunk.length
    if (taken < 1024 * 1024) await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.true(taken > size)
  await closed
})

test('closing cuts what does not end in time', async t => {
  const entered = Promise.withResolvers<void>()
  const server = await startHttp([slow(entered.resolve, new Promise(() => {}))])
  const cut = t.throwsAsync(server.call('GET', '/slow'))
  await entered.promise
  await server.close(100)
  await cut
})

test('closing does not wait for idle connections', async t => {
  const server = await startHttp([slow()])
  await server.call('GET', '/slow')
  const idle = connect(server.port, '127.0.0.1').on('error', () => {})
  await new Promise(resolve => idle.once('connect', resolve))
  await server.close(forEver)
  idle.destroy()
  t.pass()
})

test('headers that are too large are refused', async t => {
  const server = await startHttp([slow()])
  t.teardown(() => server.close())
  const answer = await server.call('GET', '/slow', { headers: { 'x-long': 'x'.repeat(20_000) } })
  t.is(answer.status, 431)
})

test('what a proxy or a client says of its host changes nothing', async t => {
  const server = await startHttp([slow()])
  t.teardown(() => server.close())
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-for': '1.2.3.4' }
  const { status, headers: answered } = await server.call('GET', '/slow', { headers })
  t.is(status, 200)
  t.false([...answered.values()].join().includes('evil'))
})
