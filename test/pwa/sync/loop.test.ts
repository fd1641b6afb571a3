/** A server that hangs, fails, or answers nonsense; and a session that has ended. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { Http } from '../../../pwa/api/http.ts'
import type { Machine } from '../../../pwa/e2ee/machine.ts'
import type { OutgoingRequest } from '../../../pwa/e2ee/requests.ts'
import { type ConnectionState, pollingSource, SyncLoop } from '../../../pwa/sync/sync-loop.ts'
import { Pump } from '../../../pwa/worker/pump.ts'
import { until } from '../../support/until.ts'

/** Syncs that are answered one after the other; then none is any more. */
async function follow(answers: (() => Response | Promise<Response>)[], fails: Error[] = []) {
  const asked: (string | null)[] = []
  const taken: string[] = []
  const states: ConnectionState[] = []
  const http = new Http({
    origin: 'https://a.example',
    tokens: { accessToken: 't', refreshToken: null, expiresTs: null },
    userId: '@amal:a.example',
    deviceId: 'DEVICE',
    keepTokens: async () => {},
    onEnded: () => {},
    clock: () => 0,
    fetch: async (input, init) => {
      asked.push(new URL(String(input)).searchParams.get('since'))
      const answer = answers.shift()
      if (answer) return await answer()
      return await new Promise((_, reject) =>
        init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason), { once: true }),
      )
    },
  })
  const loop = new SyncLoop({
    source: pollingSource(http),
    since: 'before',
    apply: async ({ nextBatch }) => {
      const failure = fails.shift()
      if (failure) throw failure
      taken.push(nextBatch)
    },
    onConnection: state => {
      states.push(state)
      // Nobody waits in a test.
      if (state.state === 'offline') setTimeout(() => loop.wake())
    },
    clock: () => 7,
    random: () => 0,
  })
  loop.start()
  const wanted = answers.length + 1
  await until(() => asked.length >= wanted, 2)
  await loop.stop()
  return { asked, taken, states: states.map(({ state, code }) => (code ? `${state} ${code}` : state)) }
}

const batch = (name: string) => () => new Response(JSON.stringify({ next_batch: name }))

test('what failed is asked for again from where we were; nothing is taken twice, nothing left out', async t => {
  const { asked, taken, states } = await follow([
    batch('one'),
    () => new Response('{"errcode":"M_UNKNOWN"}', { status: 500 }),
    batch('two'),
    () => new Response('<html>', { status: 502 }),
    batch('three'),
    () => new Response('not JSON'),
    batch('four'),
    () => new Response('{"next_batch":5}'),
    batch('five'),
    () => Promise.reject(new TypeError('network')),
    batch('six'),
  ])
  t.deepEqual(taken, ['one', 'two', 'three', 'four', 'five', 'six'])
  t.deepEqual(asked, [
    'before',
    'one',
    'one',
    'two',
    'two',
    'three',
    'three',
    'four',
    'four',
    'five',
    'five',
    'six',
  ])
  t.deepEqual(states, [
    'online',
    'offline M_UNKNOWN',
    'online',
    'offline HTTP_502',
    'online',
    'offline BAD_ANSWER',
    'online',
    'offline BAD_ANSWER',
    'online',
    'offline',
    'online',
  ])
})

test('what could not be stored is asked for again', async t => {
  const full = Object.assign(new Error('no more room'), { code: 'VAULT_FULL' })
  const { asked, taken } = await follow([batch('one'), batch('one'), batch('two')], [full])
  t.deepEqual(taken, ['one', 'two'])
  t.deepEqual(asked, ['before', 'before', 'one', 'two'])
})

test('a session that has ended is asked for nothing more', async t => {
  let asked = 0
  const request = { id: 'r', kind: 'keys-query', body: {} } as unknown as OutgoingRequest
  const machine = { outgoingRequests: () => [request], receiveAnswer: async () => {} } as unknown as Machine
  const pump = new Pump({
    machine,
    send: async () => {
      if (++asked > 50) throw new Error('it goes round in circles')
      throw new ApiError('M_UNKNOWN_TOKEN', 'ended', { status: 401 })
    },
    random: () => 0,
  })
  await t.throwsAsync(pump.flush(), { code: 'M_UNKNOWN_TOKEN' })
  await new Promise(resolve => setTimeout(resolve, 10))
  t.is(asked, 1)
  await pump.stop()
})
