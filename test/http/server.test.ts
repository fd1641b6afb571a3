import { connect } from 'node:net'
import test from 'ava'
import type { Route } from '../../server/http/route.ts'
import { startHttp } from '../support/http.ts'

const slow = (ms: number, entered = () => {}): Route => ({
  method: 'GET',
  path: '/slow',
  steps: [
    async ctx => {
      entered()
      await new Promise(resolve => setTimeout(resolve, ms))
      ctx.body = { done: true }
    },
  ],
})

test('closing lets a request in flight finish and takes no new one', async t => {
  const entered = Promise.withResolvers<void>()
  const server = await startHttp([slow(400, entered.resolve)])
  const inFlight = server.call('GET', '/slow')
  await entered.promise
  const closed = server.close(5_000)
  await new Promise(resolve => setTimeout(resolve, 20))
  await t.throwsAsync(server.call('GET', '/slow'))
  t.deepEqual((await inFlight).body, { done: true })
  await closed
})

test('closing cuts what does not end in time', async t => {
  const entered = Promise.withResolvers<void>()
  const server = await startHttp([slow(60_000, entered.resolve)])
  const inFlight = server.call('GET', '/slow')
  const cut = t.throwsAsync(inFlight)
  await entered.promise
  const before = Date.now()
  await server.close(100)
  t.true(Date.now() - before < 2_000)
  await cut
})

test('closing does not wait for idle connections', async t => {
  const server = await startHttp([slow(1)])
  await server.call('GET', '/slow')
  const idle = connect(server.port, '127.0.0.1').on('error', () => {})
  await new Promise(resolve => idle.once('connect', resolve))
  const before = Date.now()
  await server.close(3_000)
  t.true(Date.now() - before < 3_500)
  idle.destroy()
})

test('headers that are too large are refused', async t => {
  const server = await startHttp([slow(1)])
  t.teardown(() => server.close())
  const answer = await server.call('GET', '/slow', { headers: { 'x-long': 'x'.repeat(20_000) } })
  t.is(answer.status, 431)
})

test('what a proxy or a client says of its host changes nothing', async t => {
  const server = await startHttp([slow(1)])
  t.teardown(() => server.close())
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-for': '1.2.3.4' }
  const { status, headers: answered } = await server.call('GET', '/slow', { headers })
  t.is(status, 200)
  t.false([...answered.values()].join().includes('evil'))
})
