/** The loop and the requests under it: servers that hang, fail, ask for patience, or end the session. */
import test from 'ava'
import { ApiError } from '../../../pwa/api/api-error.ts'
import { Http } from '../../../pwa/api/http.ts'
import { parseSyncAnswer, type SyncAnswer } from '../../../pwa/sync/sync-answer.ts'
import { type ConnectionState, pauseMs, SyncLoop } from '../../../pwa/sync/sync-loop.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'

type Next = (since: string | null, waitMs: number, signal: AbortSignal) => Promise<SyncAnswer>

function loopOver(next: Next) {
  const taken: string[] = []
  const told: ConnectionState[] = []
  const waiters: (() => void)[] = []
  const clock = { now: 1_000_000 }
  const loop = new SyncLoop({
    source: { next },
    since: 's0',
    apply: async answer => void taken.push(answer.nextBatch),
    onConnection: connection => {
      told.push(connection)
      for (const wake of waiters.splice(0)) wake()
    },
    clock: () => clock.now,
    random: () => 0,
  })
  const change = () => new Promise<void>(resolve => waiters.push(resolve))
  return { loop, taken, told, change, clock }
}

const hangs = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
const answer = (batch: string) => parseSyncAnswer({ next_batch: batch })!

test('a poll that hangs since the computer slept is begun anew when somebody comes back', async t => {
  const asked: [string | null, number][] = []
  const { loop, taken, clock, change } = loopOver(async (since, waitMs, signal) => {
    asked.push([since, waitMs])
    if (asked.length === 2) return hangs(signal)
    return asked.length > 3 ? hangs(signal) : answer(`s${asked.length}`)
  })
  const online = change()
  loop.start()
  await online
  loop.wake()
  t.is(asked.length, 2, 'a fresh poll is left alone')
  clock.now += 60_000
  loop.wake()
  while (asked.length < 4) await new Promise(resolve => setImmediate(resolve))
  await loop.stop()
  t.deepEqual(asked, [
    ['s0', 0],
    ['s1', 30_000],
    ['s1', 0],
    ['s3', 30_000],
  ])
  t.deepEqual(taken, ['s1', 's3'])
})

test('a server that fails is asked again when somebody looks, and nothing that was taken is forgotten', async t => {
  let count = 0
  const { loop, told, change } = loopOver(async (since, _waitMs, signal) => {
    count++
    if (count === 1) throw new ApiError('HTTP_502', 'bad gateway', { status: 502 })
    if (count === 2) {
      t.is(since, 's0')
      return answer('s1')
    }
    return hangs(signal)
  })
  const down = change()
  loop.start()
  await down
  t.deepEqual([told[0]?.state, told[0]?.code], ['offline', 'HTTP_502'])
  const up = change()
  await new Promise(resolve => setImmediate(resolve))
  loop.wake()
  await up
  t.deepEqual([told[1]?.state, told[1]?.code], ['online', null])
  await loop.stop()
})

test('a session that has ended is not asked for any more', async t => {
  let count = 0
  const { loop, told, change } = loopOver(async () => {
    count++
    throw new ApiError('M_UNKNOWN_TOKEN', 'gone', { status: 401 })
  })
  const ended = change()
  loop.start()
  await ended
  await loop.stop()
  t.is(count, 1)
  t.is(told[0]?.code, 'M_UNKNOWN_TOKEN')
})

test('a server is given the patience that it asks for, within reason', t => {
  const asking = (retryAfterMs: number) => new ApiError('M_LIMIT_EXCEEDED', '', { status: 429, retryAfterMs })
  t.is(pauseMs(0, asking(20_000), 0), 20_000)
  t.is(pauseMs(0, asking(1e15), 0), 15 * 60_000)
  t.is(pauseMs(100, null, 1), 60_000)
  t.is(pauseMs(0, null, 0), 500)
})

function httpOver(reply: (path: string, token: string | null, body: JsonObject) => [number, JsonObject]) {
  const ended: string[] = []
  const kept: string[] = []
  const http = new Http({
    origin: 'https://a.example',
    tokens: { accessToken: 'old', refreshToken: 'refresh', expiresTs: null },
    userId: '@amal:a.example',
    deviceId: 'DEVICE',
    keepTokens: async ({ accessToken }) => void kept.push(accessToken),
    onEnded: why => void ended.push(why),
    clock: () => 0,
    fetch: async (input, init) => {
      await new Promise(resolve => setImmediate(resolve))
      const token = new Headers(init?.headers).get('authorization')
      const body = init?.body ? JSON.parse(String(init.body)) : {}
      const [status, object] = reply(new URL(String(input)).pathname, token, body)
      return Response.json(object, { status })
    },
  })
  return { http, ended, kept }
}

test('a token that ran out is refreshed once for all who wait, kept, and the requests are made again', async t => {
  let refreshes = 0
  const { http, kept, ended } = httpOver((path, token) => {
    if (path.endsWith('/refresh')) {
      refreshes++
      return [200, { access_token: 'new', refresh_token: 'next', expires_in_ms: 1e9 }]
    }
    return token === 'Bearer new'
      ? [200, { fine: path }]
      : [401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }]
  })
  const answers = await Promise.all(['/a', '/b', '/c'].map(path => http.request('GET', path)))
  t.deepEqual(answers, [{ fine: '/a' }, { fine: '/b' }, { fine: '/c' }])
  t.is(refreshes, 1)
  t.deepEqual(kept, ['new'])
  t.deepEqual(ended, [])
})

test('a device that was signed out is told so once; a refresh that is refused only ends the session', async t => {
  const revoked = httpOver(() => [401, { errcode: 'M_UNKNOWN_TOKEN' }])
  for (let i = 0; i < 2; i++)
    await t.throwsAsync(revoked.http.request('GET', '/x'), { code: 'M_UNKNOWN_TOKEN' })
  t.deepEqual(revoked.ended, ['revoked'])
  const expired = httpOver(() => [401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }])
  await t.throwsAsync(expired.http.request('GET', '/x'))
  t.deepEqual(expired.ended, ['expired'])
})

for (const [what, status, refusal, ended] of [
  ['whose device is gone', 401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false }, ['revoked']],
  [
    'that was used, of a device that is there',
    401,
    { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true },
    ['expired'],
  ],
  ['of which the server says nothing else', 401, { errcode: 'M_UNKNOWN_TOKEN' }, ['expired']],
  ['of an account that has ended', 403, { errcode: 'M_FORBIDDEN' }, ['expired']],
  ['of an account that is locked', 401, { errcode: 'M_USER_LOCKED', soft_logout: true }, []],
] as const) {
  test(`away for longer than an access token lives, with a refresh token ${what}`, async t => {
    let whose: JsonObject = {}
    const away = httpOver((path, _token, body) => {
      if (!path.endsWith('/refresh')) return [401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true }]
      whose = body
      return [status, refusal]
    })
    await t.throwsAsync(away.http.request('GET', '/x'), { code: refusal.errcode })
    t.deepEqual(away.ended, ended)
    t.like(whose, { 'org.letro.user_id': '@amal:a.example', 'org.letro.device_id': 'DEVICE' })
  })
}
