/** What every implementation of `VaultRecords` must do: run against each of them. */
import type { TestFn } from 'ava'
import type { VaultRecords } from '../../pwa/vault/records.ts'

export function conformance(test: TestFn, name: string, open: () => Promise<VaultRecords>): void {
  test(`${name}: what was committed is read, by store and id`, async t => {
    const records = await open()
    await records.commit([
      { collection: 'room', id: '!a', value: { topic: 'one' } },
      { collection: 'identity', id: '!a', value: { topic: 'two' } },
    ])
    t.deepEqual(await records.get('room', '!a'), { topic: 'one' })
    t.deepEqual(await records.get('identity', '!a'), { topic: 'two' })
    t.is(await records.get('room', '!b'), undefined)
    t.is(await records.get('secret', '!a'), undefined)
    t.deepEqual(await records.getMany('room', ['!b', '!a', '!a']), [
      undefined,
      { topic: 'one' },
      { topic: 'one' },
    ])
    t.deepEqual(await records.getMany('room', []), [])
  })

  test(`${name}: the last write of a commit counts, and null deletes`, async t => {
    const records = await open()
    await records.commit([
      { collection: 'room', id: 'a', value: { n: 1 } },
      { collection: 'room', id: 'a', value: { n: 2 } },
      { collection: 'room', id: 'b', value: { n: 3 } },
      { collection: 'room', id: 'b', value: null },
      { collection: 'room', id: 'never', value: null },
    ])
    t.deepEqual(await records.entries('room'), [['a', { n: 2 }]])
    await records.commit([{ collection: 'room', id: 'a', value: null }])
    t.deepEqual(await records.entries('room'), [])
  })

  test(`${name}: entries come by id, and by any prefix`, async t => {
    const records = await open()
    const ids = ['b|2', 'a|1', 'a|', 'a', 'a|1|x', 'ab|1', '', 'é|ü', '!r:x|@u:y']
    await records.commit(ids.map(id => ({ collection: 'olm-session', id, value: { id } })))
    await records.commit([{ collection: 'room', id: 'a|1', value: { other: true } }])
    const found = async (prefix?: string) => (await records.entries('olm-session', prefix)).map(([id]) => id)
    t.deepEqual(await found(), [...ids].sort())
    t.deepEqual(await found('a'), ['a', 'ab|1', 'a|', 'a|1', 'a|1|x'])
    t.deepEqual(await found('a|'), ['a|', 'a|1', 'a|1|x'])
    t.deepEqual(await found('a|1'), ['a|1', 'a|1|x'])
    t.deepEqual(await found('!r:x|'), ['!r:x|@u:y'])
    t.deepEqual(await found('!r:'), ['!r:x|@u:y'])
    t.deepEqual(await found('!'), ['!r:x|@u:y'])
    t.deepEqual(await found('c'), [])
    t.deepEqual(await found('c|'), [])
  })

  test(`${name}: bytes are kept as bytes, and are no JSON`, async t => {
    const records = await open()
    const value = new Uint8Array([0, 1, 255])
    await records.commit([
      { collection: 'search', id: 'a', value },
      { collection: 'search', id: 'b', value: { n: 1 } },
    ])
    value[0] = 9
    t.deepEqual(await records.getBytes('search', 'a'), new Uint8Array([0, 1, 255]))
    t.is(await records.getBytes('search', 'b'), undefined)
    t.is(await records.getBytes('search', 'c'), undefined)
    t.is(await records.get('search', 'a'), undefined)
    t.deepEqual(await records.entries('search'), [['b', { n: 1 }]])
  })

  test(`${name}: a scan sees each record of a store once`, async t => {
    const records = await open()
    const ids = Array.from({ length: 230 }, (_, i) => `${i % 7}|${i}`)
    await records.commit(ids.map(id => ({ collection: 'room', id, value: { id } })))
    await records.commit([
      { collection: 'room', id: 'bytes', value: new Uint8Array([1]) },
      { collection: 'identity', id: 'other', value: {} },
    ])
    const seen = new Map(await Array.fromAsync(records.scan('room')))
    t.deepEqual([...seen.keys()].sort(), [...ids, 'bytes'].sort())
    t.deepEqual(seen.get('bytes'), new Uint8Array([1]))
    t.deepEqual(seen.get('3|3'), { id: '3|3' })
    t.deepEqual(await Array.fromAsync(records.scan('account')), [])
  })

  test(`${name}: nobody holds a reference into what is stored`, async t => {
    const records = await open()
    const value = { list: [1] }
    await records.commit([{ collection: 'room', id: 'a', value }])
    value.list.push(2)
    const read = (await records.get('room', 'a')) as { list: number[] }
    read.list.push(3)
    t.deepEqual(await records.get('room', 'a'), { list: [1] })
  })

  test(`${name}: a commit that cannot be made changes nothing`, async t => {
    const records = await open()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    await t.throwsAsync(
      records.commit([
        { collection: 'room', id: 'a', value: { n: 1 } },
        { collection: 'room', id: 'b', value: circle as never },
      ]),
      { instanceOf: TypeError },
    )
    t.is(await records.get('room', 'a'), undefined)
  })
}
