/** The fault table of the commit path, over an engine that fails on demand. */
import test from 'ava'
import type { StoreError } from '../../server/store/store.ts'
import { rows, texts } from './conformance.ts'
import { type Fault, openFaultyStore } from './fault-engine.ts'

const faults: [Fault, slow: boolean][] = [
  ['before', false],
  ['before', true],
  ['after', false],
  ['after', true],
]

for (const [fault, slow] of faults) {
  test(`a write that fails ${fault} it landed rejects all that was pending${slow ? ' (slow engine)' : ''}`, async t => {
    const { store, faults } = await openFaultyStore({ slow })
    await store.transact('a', tx => {
      tx.put(texts.key('x'), 'acknowledged')
      tx.sequence(next => next())
    })
    const before = store.durablePosition
    let resets = 0
    store.onReset(() => resets++)
    const topics: string[] = []
    store.onDurable(commit => topics.push(...commit.topics))
    faults.next = fault
    let taken = 0
    const pending = [1, 2, 3].map(n =>
      store.transact(`o${n}`, tx => {
        tx.put(texts.key(`p${n}`), 'pending')
        tx.announce('user:@a')
        tx.sequence((next, out) => {
          taken = next()
          out.put(rows.key('p', taken), { n })
        })
      }),
    )
    const builtOnIt = store.transact('o1', async tx => {
      await new Promise(resolve => setTimeout(resolve, 30))
      tx.put(texts.key('q'), 'built on what failed')
    })
    const outcomes = await Promise.allSettled([...pending, builtOnIt])
    t.deepEqual(
      outcomes.map(outcome => outcome.status === 'rejected' && (outcome.reason as StoreError).code),
      ['STORE_UNCERTAIN', 'STORE_UNCERTAIN', 'STORE_UNCERTAIN', 'STORE_UNCERTAIN'],
    )
    t.is(resets, 1)
    const seen = await store.read(view =>
      view.getMany([texts.key('x'), texts.key('p1'), texts.key('p3'), texts.key('q')]),
    )
    const landed = fault === 'after' ? 'pending' : undefined
    t.deepEqual(seen, ['acknowledged', landed, landed, undefined])
    t.is(store.durablePosition, fault === 'after' ? (taken as typeof before) : before)
    // Who waits for the topic is woken: it may be there.
    t.true(topics.includes('user:@a'))

    // Work goes on, and no position is given twice.
    await store.transact('o1', tx => {
      tx.put(texts.key('p1'), 'again')
      tx.sequence(next => t.true(next() > taken))
    })
    t.is(await store.read(view => view.get(texts.key('p1'))), 'again')
    await store.close()
  })
}

test('a transaction that began before the failure cannot commit after it', async t => {
  const { store, faults } = await openFaultyStore()
  let go = () => {}
  const gate = new Promise<void>(resolve => {
    go = resolve
  })
  const running = store.transact('slow', async tx => {
    await gate
    tx.put(texts.key('x'), 'late')
  })
  faults.next = 'before'
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('y'), '1')),
    { code: 'STORE_UNCERTAIN' },
  )
  await store.transact('a', tx => tx.put(texts.key('y'), '2'))
  go()
  await t.throwsAsync(running, { code: 'STORE_UNCERTAIN' })
  t.is(await store.read(view => view.get(texts.key('x'))), undefined)
  await store.close()
})

test('a transaction that waits for its owner while the store reopens runs afterwards', async t => {
  const { store, faults } = await openFaultyStore()
  faults.next = 'before'
  const failing = store.transact('a', tx => tx.put(texts.key('x'), '1'))
  await t.throwsAsync(failing, { code: 'STORE_UNCERTAIN' })
  await store.transact('a', async tx => tx.put(texts.key('x'), `${await tx.get(texts.key('x'))} then 2`))
  t.is(await store.read(view => view.get(texts.key('x'))), 'undefined then 2')
  await store.close()
})

test('an opening that fails is tried again', async t => {
  const { store, faults } = await openFaultyStore()
  faults.next = 'before'
  faults.failedOpenings = 2
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('x'), '1')),
    { code: 'STORE_UNCERTAIN' },
  )
  await store.transact('a', tx => tx.put(texts.key('x'), '2'))
  t.is(faults.opened, 4)
  await store.close()
})

test('a store that cannot be opened again is damaged, and says so to everybody', async t => {
  const heard: StoreError[] = []
  const { store, faults } = await openFaultyStore({ onDamage: error => heard.push(error) })
  faults.next = 'before'
  faults.failedOpenings = 99
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('x'), '1')),
    { code: 'STORE_UNCERTAIN' },
  )
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('x'), '2')),
    { code: 'STORE_DAMAGED' },
  )
  await t.throwsAsync(
    store.read(view => view.get(texts.key('x'))),
    { code: 'STORE_DAMAGED' },
  )
  t.is(heard.length, 1)
  await store.close()
})

test('on a full disk reads go on, writes are refused, and work goes on by itself once there is space', async t => {
  const { store, faults } = await openFaultyStore()
  await store.transact('a', tx => tx.put(texts.key('x'), '1'))
  faults.next = 'full'
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('x'), '2')),
    { code: 'STORE_FULL' },
  )
  t.is(await store.read(view => view.get(texts.key('x'))), '1')
  await t.throwsAsync(
    store.transact('a', tx => tx.put(texts.key('x'), '3')),
    { code: 'STORE_FULL' },
  )
  faults.isFull = false
  await new Promise(resolve => setTimeout(resolve, 50))
  await store.transact('a', tx => tx.put(texts.key('x'), '4'))
  t.is(await store.read(view => view.get(texts.key('x'))), '4')
  await store.close()
})

test('a damaged row ends all work', async t => {
  const heard: StoreError[] = []
  const { store, faults } = await openFaultyStore({ onDamage: error => heard.push(error) })
  faults.next = 'damaged'
  await t.throwsAsync(
    store.read(view => view.get(texts.key('x'))),
    { code: 'STORE_DAMAGED' },
  )
  await t.throwsAsync(
    store.transact('a', () => {}),
    { code: 'STORE_DAMAGED' },
  )
  t.is(heard.length, 1)
  await store.close()
  await t.throwsAsync(
    store.read(view => view.get(texts.key('x'))),
    { code: 'STORE_DAMAGED' },
  )
})

test('a fill that throws is treated like a failed write', async t => {
  const { store } = await openFaultyStore()
  let resets = 0
  store.onReset(() => resets++)
  const other = store.transact('b', tx => tx.put(texts.key('x'), '1'))
  await t.throwsAsync(
    store.transact('a', tx =>
      tx.sequence(() => {
        throw new Error('a bug')
      }),
    ),
    { message: 'a bug' },
  )
  await t.throwsAsync(other, { code: 'STORE_UNCERTAIN' })
  t.is(resets, 1)
  await store.transact('b', tx => tx.put(texts.key('x'), '2'))
  t.is(await store.read(view => view.get(texts.key('x'))), '2')
  await store.close()
})
