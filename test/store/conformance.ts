/**
 * What the store promises (server/store/store.ts), as tests that every engine runs. `open` gives a fresh,
 * empty store each time.
 */
import type { ExecutionContext, TestFn } from 'ava'
import { jsonTable, textTable } from '../../server/store/key.ts'
import type { Position, Store, Topic } from '../../server/store/store.ts'

export const rows = jsonTable<{ n: number }>()('zr', 'conformance rows', ['text', 'position'])
export const texts = textTable('zt', 'conformance texts', ['text'])

export function conformance(test: TestFn, open: () => Promise<Store>): void {
  const withStore = (name: string, run: (t: ExecutionContext, store: Store) => Promise<void>) =>
    test(name, async t => {
      const store = await open()
      try {
        await run(t, store)
      } finally {
        await store.close()
      }
    })

  withStore('what a transaction wrote is there when it returns', async (t, store) => {
    const result = await store.transact('a', tx => {
      tx.put(texts.key('x'), 'one')
      tx.put(rows.key('r', 1), { n: 1 })
      return 'done'
    })
    t.is(result, 'done')
    t.deepEqual(await store.read(view => view.getMany([texts.key('x'), rows.key('r', 1), texts.key('y')])), [
      'one',
      { n: 1 },
      undefined,
    ])
  })

  withStore('a transaction that throws writes nothing and frees its owner', async (t, store) => {
    await t.throwsAsync(
      store.transact('a', async tx => {
        tx.put(texts.key('x'), 'one')
        throw new Error('no')
      }),
      { message: 'no' },
    )
    await t.throwsAsync(
      store.transact('a', () => {
        throw new Error('at once')
      }),
      { message: 'at once' },
    )
    t.is(await store.transact('a', tx => tx.get(texts.key('x'))), undefined)
  })

  withStore('all rows of a transaction appear together', async (t, store) => {
    let go = true
    const reader = (async () => {
      while (go) {
        const [a, b] = await store.read(view => view.getMany([texts.key('a'), texts.key('b')]))
        t.is(a, b)
        await new Promise(resolve => setImmediate(resolve))
      }
    })()
    for (let i = 0; i < 50; i++) {
      await store.transact('o', tx => {
        tx.put(texts.key('a'), `${i}`)
        tx.put(texts.key('b'), `${i}`)
      })
    }
    go = false
    await reader
  })

  withStore('transactions of one owner never overlap and lose no update', async (t, store) => {
    let inside = 0
    const add = () =>
      store.transact('counter', async tx => {
        t.is(++inside, 1)
        const [old] = await tx.getMany([rows.key('count', 0)])
        await new Promise(resolve => setImmediate(resolve))
        tx.put(rows.key('count', 0), { n: (old?.n ?? 0) + 1 })
        inside--
      })
    await Promise.all(Array.from({ length: 100 }, add))
    t.deepEqual(await store.read(view => view.get(rows.key('count', 0))), { n: 100 })
  })

  withStore('owners are served first come, first served', async (t, store) => {
    const order: number[] = []
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.transact('o', async () => {
          await new Promise(resolve => setTimeout(resolve, (20 - i) / 10))
          order.push(i)
        }),
      ),
    )
    t.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    )
  })

  withStore('several owners in any order never wait in a circle', async (t, store) => {
    const names = ['a', 'b', 'c', 'd']
    const busy = new Set<string>()
    let finished = 0
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const owners = [names[i % 4]!, names[(i * 7 + 3) % 4]!, names[(i * 3 + 1) % 4]!]
        return store.transact(owners, async tx => {
          for (const owner of new Set(owners)) {
            t.false(busy.has(owner))
            busy.add(owner)
          }
          await tx.get(texts.key(owners[0]!))
          for (const owner of owners) busy.delete(owner)
          tx.put(texts.key(owners[0]!), `${i}`)
          finished++
        })
      }),
    )
    t.is(finished, 200)
  })

  withStore(
    'a transaction sees pending rows, also in ranges; a read sees durable ones only',
    async (t, store) => {
      await store.transact('a', tx => {
        for (const n of [1, 2, 3, 4]) tx.put(rows.key('r', n), { n })
      })
      const pending = store.transact('a', tx => {
        tx.put(rows.key('r', 0), { n: 0 })
        tx.put(rows.key('r', 2), { n: 22 })
        tx.delete(rows.key('r', 3))
        tx.put(rows.key('r', 5), { n: 5 })
      })
      const seen = store.transact('a', async tx => {
        tx.put(rows.key('r', 6), { n: 6 })
        tx.delete(rows.key('r', 4))
        return {
          one: await tx.getMany([rows.key('r', 2), rows.key('r', 3), rows.key('r', 6), rows.key('r', 4)]),
          all: (await tx.range(rows.under('r'))).map(row => row.value.n),
          first: (await tx.range(rows.under('r'), { limit: 2 })).map(row => row.value.n),
          last: (await tx.range(rows.under('r'), { reverse: true, limit: 3 })).map(row => row.value.n),
          between: (
            await tx.range(rows.under('r'), { after: rows.key('r', 0), before: rows.key('r', 6) })
          ).map(row => row.value.n),
        }
      })
      const durable = store.read(async view => (await view.range(rows.under('r'))).map(row => row.value.n))
      t.deepEqual(await seen, {
        one: [{ n: 22 }, undefined, { n: 6 }, undefined],
        all: [0, 1, 22, 5, 6],
        first: [0, 1],
        last: [6, 5, 22],
        between: [1, 22, 5],
      })
      t.deepEqual(await durable, [1, 2, 3, 4])
      await pending
      t.deepEqual(
        await store.read(async view => (await view.range(rows.under('r'))).map(r => r.parts[1])),
        [0, 1, 2, 5, 6],
      )
    },
  )

  withStore('a range stays in its table and in its leading parts', async (t, store) => {
    await store.transact('a', tx => {
      for (const name of ['a', 'ab', 'a\x00', 'b', 'ä', '']) tx.put(rows.key(name, 7), { n: name.length })
      tx.put(texts.key('a'), 'other table')
    })
    const names = await store.read(async view => (await view.range(rows.under())).map(row => row.parts[0]))
    t.deepEqual(names, ['', 'a', 'a\x00', 'ab', 'b', 'ä'])
    t.deepEqual(await store.read(async view => (await view.range(rows.under('a'))).map(row => row.parts)), [
      ['a', 7],
    ])
    t.deepEqual(await store.read(view => view.range(rows.under(), { limit: 0 })), [])
    t.deepEqual(await store.read(view => view.range(rows.under(), { after: rows.key('\u{10ffff}', 0) })), [])
  })

  withStore('a long view is one moment, whatever is written meanwhile', async (t, store) => {
    await store.transact('a', tx => tx.put(texts.key('x'), '0'))
    await store.read(async (view, position) => {
      t.is(position, store.durablePosition)
      for (let i = 1; i < 20; i++) {
        await store.transact('a', tx => {
          tx.put(texts.key('x'), `${i}`)
          tx.delete(texts.key('never'))
          tx.sequence(next => next())
        })
        t.is(await view.get(texts.key('x')), '0')
        t.is((await view.range(texts.under()))[0]!.value, '0')
      }
      t.true(position < store.durablePosition)
    })
    t.is(await store.read(view => view.get(texts.key('x'))), '19')
  })

  withStore('positions follow the order of commits, without one in between', async (t, store) => {
    const before = store.durablePosition
    const taken: Position[] = []
    const finished: Position[] = []
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const mine: Position[] = []
        await store.transact(`o${i % 7}`, async tx => {
          if (i % 3 === 0) await tx.get(texts.key('x'))
          tx.sequence((next, out) => {
            for (let k = 0; k < 3; k++) {
              const position = next()
              mine.push(position)
              taken.push(position)
              out.put(rows.key('p', position), { n: i })
            }
          })
        })
        t.deepEqual(mine, [mine[0]!, mine[0]! + 1, mine[0]! + 2] as Position[])
        t.true(store.durablePosition >= mine[2]!)
        finished.push(mine[2]!)
      }),
    )
    t.is(taken.length, 180)
    t.deepEqual(
      taken,
      [...taken].sort((a, b) => a - b),
    )
    t.deepEqual(
      finished,
      [...finished].sort((a, b) => a - b),
    )
    t.true(taken[0]! > before)
    t.is(store.durablePosition, taken.at(-1)!)
    t.is((await store.read(view => view.range(rows.under('p')))).length, 180)
  })

  withStore('listeners hear topics once a commit, after it is durable', async (t, store) => {
    const heard: Topic[][] = []
    const stop = store.onDurable(commit => {
      heard.push([...commit.topics])
      t.is(commit.durablePosition, store.durablePosition)
    })
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        store.transact(`o${i}`, tx => {
          tx.announce('room:!a')
          tx.sequence((_next, out) => out.announce('user:@b'))
        }),
      ),
    )
    stop()
    await store.transact('o', tx => tx.announce('user:@c'))
    t.true(heard.length < 10)
    t.deepEqual(new Set(heard.flat()), new Set<Topic>(['room:!a', 'user:@b']))
    for (const topics of heard) t.is(new Set(topics).size, topics.length)
  })

  withStore('a transaction that only read pending rows returns when they are durable', async (t, store) => {
    let isDurable = false
    store.onDurable(() => {
      isDurable = true
    })
    void store.transact('a', tx => {
      tx.put(texts.key('x'), 'pending')
      tx.announce('user:@a')
    })
    t.is(await store.transact('a', tx => tx.get(texts.key('x'))), 'pending')
    t.true(isDurable)
  })

  withStore('writing after the transaction is over is an error, not a lost row', async (t, store) => {
    let later: (() => void) | undefined
    await store.transact('a', tx => {
      later = () => tx.put(texts.key('x'), 'late')
    })
    t.throws(() => later!(), { message: /not awaited/ })
  })

  withStore('a view that is used after its end is an error of the caller, not damage', async (t, store) => {
    await store.transact('a', tx => tx.put(texts.key('x'), '1'))
    const view = await store.read(async held => held)
    // The snapshot is released once another group is durable.
    await store.transact('a', tx => tx.put(texts.key('x'), '2'))
    await t.throwsAsync(view.get(texts.key('x')), { code: 'STORE_UNCERTAIN' })
    await t.throwsAsync(view.range(texts.under()), { code: 'STORE_UNCERTAIN' })
    t.is(await store.read(fresh => fresh.get(texts.key('x'))), '2')
  })

  withStore('a value that could not come back as it went in is refused', async (t, store) => {
    await t.throwsAsync(
      store.transact('a', tx => tx.put(texts.key('x'), 'lone \ud800')),
      { instanceOf: RangeError },
    )
    for (const value of ['', '\x00', 'ä\u{1f512}\ufffd', 'x'.repeat(100_000)]) {
      await store.transact('a', tx => tx.put(texts.key('x'), value))
      t.is(await store.read(view => view.get(texts.key('x'))), value)
    }
  })

  withStore('closing writes what is queued and refuses what comes after', async (t, store) => {
    const queued = store.transact('a', tx => tx.put(texts.key('x'), '1'))
    await store.close()
    await t.notThrowsAsync(queued)
    await t.throwsAsync(
      store.transact('a', () => {}),
      { code: 'STORE_CLOSED' },
    )
    await t.throwsAsync(
      store.read(view => view.get(texts.key('x'))),
      { code: 'STORE_CLOSED' },
    )
  })

  withStore('random histories end as a map would', async (t, store) => {
    const model = new Map<string, string>()
    let seed = 7
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        store.transact('all', async tx => {
          const name = `k${random(40)}`
          t.is(await tx.get(texts.key(name)), model.get(name))
          if (random(3) === 0) {
            tx.delete(texts.key(name))
            model.delete(name)
          } else {
            tx.put(texts.key(name), `${i}`)
            model.set(name, `${i}`)
          }
          if (random(10) === 0) {
            const reverse = random(2) === 0
            const limit = random(10) + 1
            const sorted = [...model].sort(([a], [b]) => (a < b === reverse ? 1 : -1)).slice(0, limit)
            const found = await tx.range(texts.under(), { reverse, limit })
            t.deepEqual(
              found.map(row => [row.parts[0], row.value]),
              sorted as [string, string][],
            )
          }
        }),
      ),
    )
    const found = await store.read(view => view.range(texts.under()))
    t.deepEqual(
      found.map(row => [row.parts[0], row.value] as [string, string]),
      [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  })
}
