/** What people are told of a room that stands still and goes on, and that a crash in between leaves nobody with old news. */
import test from 'ava'
import { type FrozenNoticesDeps, openFrozenNotices } from '../../server/accounts/frozen-notices.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { frozenType } from '../../server/rooms/freezer.ts'
import { toldStandstills } from '../../server/store/catalogue.ts'
import { StoreError } from '../../server/store/store.ts'
import { person, sharedRoom } from '../rooms/federated-room.ts'
import { type Site, World } from '../rooms/two-servers.ts'

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setImmediate(resolve))
}

/** Ann, Dora and Emil are in a room with Bob, whose server's pin can go. */
async function open() {
  const world = new World()
  const a = await world.add('a.test')
  const b = await world.add('bb.test')
  const join = (name: string) => ({
    sender: person(name, a),
    type: 'm.room.member',
    stateKey: person(name, a),
    content: { membership: 'join' },
  })
  const roomId = await sharedRoom(a, b, [join('dora'), join('emil')])
  const said = new Map<string, JsonObject>()
  const reported: string[] = []
  const fail = new Map<string, Error>()
  const accountData: FrozenNoticesDeps['accountData'] = {
    get: async (userId, room, type) => said.get(`${userId} ${room} ${type}`) ?? null,
    set: async (userId, room, type, content) => {
      const error = fail.get(userId)
      if (error) throw error
      said.set(`${userId} ${room} ${type}`, content)
    },
  }
  const start = () =>
    openFrozenNotices({
      store: a.store,
      rooms: a.rooms,
      accountData,
      report: text => void reported.push(text),
    })
  const told = (name: string, site: Site = a) => said.get(`${person(name, site)} ${roomId} ${frozenType}`)
  const pin = (isPinned: boolean) => {
    if (isPinned) a.pins.set(b.name, { mode: 'both' })
    else a.pins.delete(b.name)
    a.changed(b.name)
  }
  const isNoted = async () => (await a.store.read(view => view.range(toldStandstills.under()))).length === 1
  return { a, b, roomId, said, reported, fail, start, told, pin, isNoted }
}

test('everybody here in the room is told that it stands still, by whom and since when, and that it goes on', async t => {
  const { b, said, start, told, pin, isNoted } = await open()
  await start()
  pin(false)
  await until(async () => said.size === 3)
  for (const name of ['ann', 'dora', 'emil']) {
    t.like(told(name), { server: b.name, by: person('bob', b) })
    t.deepEqual(Object.keys(told(name)!).sort(), ['by', 'event_id', 'server', 'since'])
  }
  // Their own server tells those of B.
  t.is(told('bob', b), undefined)
  t.true(await isNoted())
  pin(true)
  await until(async () => !(await isNoted()))
  for (const name of ['ann', 'dora', 'emil']) t.deepEqual(told(name), {})
})

test('an account that ended keeps the news from nobody', async t => {
  const { said, fail, start, pin, told, reported } = await open()
  await start()
  fail.set('@ann:a.test', new Error('deactivated'))
  pin(false)
  await until(async () => said.size === 2)
  t.truthy(told('dora') && told('emil'))
  t.deepEqual(reported, [])
})

test('a crash while people are told that a room stands still: the next start tells the others', async t => {
  const { a, fail, start, pin, told, reported } = await open()
  await start()
  fail.set(person('dora', a), new StoreError('STORE_UNCERTAIN', 'cut'))
  pin(false)
  await until(async () => reported.length === 1)
  t.truthy(told('ann'))
  t.is(told('emil'), undefined)
  fail.clear()
  await start()
  await until(async () => told('emil') !== undefined)
  t.truthy(told('dora'))
})

test('a crash while people are told that it goes on, or before: the next start tells them', async t => {
  const { a, fail, start, pin, told, reported, isNoted } = await open()
  await start()
  pin(false)
  await until(async () => told('emil') !== undefined)
  fail.set(person('dora', a), new StoreError('STORE_UNCERTAIN', 'cut'))
  pin(true)
  await until(async () => reported.length === 1)
  t.true(await isNoted())
  t.truthy(told('emil')!['server'])
  fail.clear()
  await start()
  await until(async () => !(await isNoted()))
  for (const name of ['ann', 'dora', 'emil']) t.deepEqual(told(name), {})
})
