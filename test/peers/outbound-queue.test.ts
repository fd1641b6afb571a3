/** The queue to a peer: what of which the last word counts takes turns. */
import test from 'ava'
import { openOutboundQueue } from '../../server/peers/outbound-queue.ts'
import type { ServerName } from '../../server/protocol/ids.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'

const there = 'there.test' as ServerName

async function opened() {
  const store = await openMemoryStore()
  const queue = await openOutboundQueue({
    store,
    peers: { all: () => [], maySendTo: () => true },
    clock: () => 0,
  })
  /** So many keys from this number on, as of this time. */
  const put = (from: number, count: number, said = 0) =>
    store.transact('test', tx =>
      tx.sequence((_next, rows) => {
        for (let i = from; i < from + count; i++) {
          const edu = { edu_type: 'm.receipt', content: { i, said } }
          queue.put(rows, there, { kind: 'latest', key: `k${String(i).padStart(2, '0')}`, edu })
        }
      }),
    )
  const take = async (limit: number) => {
    const batch = await queue.take(there, 0, limit)
    return { batch, numbers: batch?.edus.map(({ content }) => content['i'] as number) ?? [] }
  }
  return { queue, put, take }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('those that change all the time keep no others waiting', async t => {
  const { queue, put, take } = await opened()
  await put(0, 30)
  const order: number[] = []
  for (let round = 1; round <= 4; round++) {
    const { batch, numbers } = await take(10)
    order.push(...numbers)
    await put(0, 10, round)
    await queue.done(batch!)
  }
  t.deepEqual(order, [...range(0, 30), ...range(0, 10)])
})

test('until a batch is done the same comes again, and a round ends where it began', async t => {
  const { queue, put, take } = await opened()
  await put(0, 8)
  const first = await take(5)
  t.deepEqual(first.numbers, range(0, 5))
  t.deepEqual((await take(5)).numbers, range(0, 5))
  await put(2, 3, 1)
  await queue.done(first.batch!)
  const second = await take(20)
  t.deepEqual(second.numbers, [5, 6, 7, 2, 3, 4])
  t.deepEqual(second.batch!.edus.at(-1)!.content, { i: 4, said: 1 })
  await queue.done(second.batch!)
  t.is((await take(20)).batch, null)
})
