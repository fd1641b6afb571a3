import test from 'ava'
import { addressGroup, limit, limitDefaults, openRateLimits } from '../../server/http/rate-limit.ts'
import type { Route } from '../../server/http/route.ts'
import { heldBytes } from '../support/held-bytes.ts'
import { startHttp } from '../support/http.ts'

function limitsAt(clock: { now: number }, perSecond: number, burst: number, maxBuckets?: number) {
  return openRateLimits({
    limits: { ...limitDefaults, login: { perSecond, burst } },
    clock: () => clock.now,
    ...(maxBuckets === undefined ? {} : { maxBuckets }),
  })
}

function allowed(take: () => void): boolean {
  try {
    take()
    return true
  } catch {
    return false
  }
}

test('a burst passes, the next is refused with the time to wait, and after that time passes', t => {
  const clock = { now: 1_000 }
  const limits = limitsAt(clock, 2, 3)
  for (let i = 0; i < 3; i++) t.notThrows(() => limits.take('login', 'a'))
  const error = t.throws(() => limits.take('login', 'a'))
  t.like(error, { status: 429, errcode: 'M_LIMIT_EXCEEDED', fields: { retry_after_ms: 500 } })
  clock.now += 499
  t.throws(() => limits.take('login', 'a'))
  clock.now += 1
  t.notThrows(() => limits.take('login', 'a'))
})

test('a refused request costs nothing', t => {
  const clock = { now: 0 }
  const limits = limitsAt(clock, 1, 1)
  limits.take('login', 'a')
  for (let i = 0; i < 50; i++) t.throws(() => limits.take('login', 'a'))
  clock.now += 1_000
  t.notThrows(() => limits.take('login', 'a'))
})

test('one person’s bucket is not another’s, nor another act’s', t => {
  const limits = limitsAt({ now: 0 }, 1, 1)
  limits.take('login', 'a')
  t.notThrows(() => limits.take('login', 'b'))
  t.notThrows(() => limits.take('send', 'a'))
  t.throws(() => limits.take('login', 'a'))
})

test('a clock that goes backwards gives nothing away', t => {
  const clock = { now: 10_000 }
  const limits = limitsAt(clock, 1, 1)
  limits.take('login', 'a')
  clock.now = 0
  t.false(allowed(() => limits.take('login', 'a')))
  clock.now = 10_500
  t.false(allowed(() => limits.take('login', 'a')))
})

test('a million addresses do not fill the memory', t => {
  const clock = { now: 0 }
  const limits = limitsAt(clock, 1, 5, 1_000)
  const before = heldBytes()
  for (let i = 0; i < 1_000_000; i++) limits.take('login', `address ${i}`)
  const grown = heldBytes() - before
  t.true(grown < 1024 * 1024, `${grown} bytes are held`)
  t.notThrows(() => limits.take('login', 'one more'))
})

test('an IPv6 customer’s whole network is one address', t => {
  t.is(addressGroup('2001:db8:1:2:3:4:5:6'), addressGroup('2001:db8:1:2::1'))
  t.not(addressGroup('2001:db8:1:2::1'), addressGroup('2001:db8:1:3::1'))
  t.is(addressGroup('::ffff:192.0.2.1'), '192.0.2.1')
  t.is(addressGroup('192.0.2.1'), '192.0.2.1')
  t.is(addressGroup('::1'), '0:0:0:0::/64')
  t.is(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.is(addressGroup(undefined), 'unknown')
})

test('a limited request is 429 with Retry-After and runs no step', async t => {
  let ran = 0
  const routes: Route[] = [
    {
      method: 'GET',
      path: '/login',
      steps: [
        limit('login'),
        ctx => {
          ran++
          ctx.body = {}
        },
      ],
    },
  ]
  const server = await startHttp(routes, { login: { perSecond: 0.1, burst: 2 } })
  t.teardown(() => server.close())
  t.is((await server.call('GET', '/login')).status, 200)
  t.is((await server.call('GET', '/login')).status, 200)
  const refused = await server.call('GET', '/login')
  t.is(refused.status, 429)
  t.is(refused.body.errcode, 'M_LIMIT_EXCEEDED')
  t.true(refused.body.retry_after_ms > 5_000)
  t.true(Number(refused.headers.get('retry-after')) >= 9)
  t.is(ran, 2)
})
