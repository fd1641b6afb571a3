/** Costly questions of one peer, many at once: how many are answered at a time, and what others notice of it. */
import test from 'ava'
import { takeTurns } from '../../server/federation-api/peer-turns.ts'
import type { Step } from '../../server/http/route.ts'
import type { Answer } from '../support/client.ts'
import { authenticate, peer, startAsking } from './asking-peer.ts'

const other = 'other.test'

/** Answers go out when they are let; `begun` names who is being answered. */
async function open(waiting: number) {
  const begun: string[] = []
  const goOn: (() => void)[] = []
  const costly: Step = async function costly(ctx) {
    begun.push(ctx.state.origin)
    await new Promise<void>(resolve => goOn.push(resolve))
    ctx.body = {}
  }
  const steps = [authenticate, takeTurns({ atOnce: 2, waiting }), costly]
  const asking = await startAsking([{ method: 'GET', path: '/_matrix/federation/v1/costly', steps }])
  const next = async (count: number) => {
    for (let i = 0; i < count; i++) {
      while (goOn.length === 0) await new Promise(resolve => setImmediate(resolve))
      goOn.shift()!()
    }
  }
  const busy = async (count: number) => {
    while (begun.length < count) await new Promise(resolve => setImmediate(resolve))
  }
  return { asking, begun, next, busy }
}

test('one peer is answered two at a time, all of it in the end, and another one at once', async t => {
  const { asking, begun, next, busy } = await open(100)
  t.teardown(() => asking.close())
  const flood = Array.from({ length: 20 }, () => asking.get('/costly', peer))
  await busy(2)
  const honest = asking.get('/costly', other)
  await busy(3)
  t.deepEqual(begun.slice().sort(), [other, peer, peer].sort())
  await next(21)
  t.is((await honest).status, 200)
  for (const answer of flood) t.is((await answer).status, 200)
  t.is(begun.length, 21)
})

test('more than may wait are refused with the time to wait; afterwards there is room again', async t => {
  const { asking, begun, next, busy } = await open(3)
  t.teardown(() => asking.close())
  const flood = Array.from({ length: 10 }, () => asking.get('/costly', peer))
  await busy(2)
  // Two are answered and three wait.
  const answered: Answer[] = []
  for (const each of flood) void each.then(answer => answered.push(answer))
  while (answered.length < 5) await new Promise(resolve => setImmediate(resolve))
  const refused = answered[0]!
  t.is(refused.status, 429)
  t.is(refused.body.errcode, 'M_LIMIT_EXCEEDED')
  t.is(refused.body.retry_after_ms, 5_000)
  await next(5)
  const statuses = (await Promise.all(flood)).map(({ status }) => status)
  t.is(statuses.filter(status => status === 200).length, 5)
  t.is(begun.length, 5)
  const again = asking.get('/costly', peer)
  await next(1)
  t.is((await again).status, 200)
})
