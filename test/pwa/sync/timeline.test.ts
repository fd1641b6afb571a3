/** A timeline is what the server has: in its order, each event once, whatever way it came to us. */
import test from 'ava'
import { VaultError } from '../../../pwa/vault/errors.ts'
import { member, type Raw, raw, reaction, roomId, Synced, text, us } from './synced.ts'

const many = (count: number, name: string) => Array.from({ length: count }, (_, i) => text(`${name} ${i}`))
const ids = (items: readonly { eventId: string | null }[]) => items.map(({ eventId }) => eventId)
const begin = () => [raw('m.room.create', { room_version: '12' }, { state_key: '' }), member(us)]

/** Everything, by scrolling back from the end. */
async function scrolledBack(synced: Synced, step = 30): Promise<string[]> {
  let page = await synced.page({ before: step })
  let all = ids(page.items)
  for (let i = 0; page.hasOlder && i < 500; i++) {
    page = await synced.page({ at: { eventId: all[0]! }, before: step, after: 0 })
    all = [...ids(page.items).filter(id => id !== all[0]), ...all]
  }
  return all as string[]
}

async function scrolledOn(synced: Synced, from: string, step = 30): Promise<string[]> {
  let all = [from]
  for (let i = 0, more = true; more && i < 500; i++) {
    const page = await synced.page({ at: { eventId: all.at(-1)! }, before: 0, after: step })
    all = [...all, ...(ids(page.items).slice(1) as string[])]
    more = page.hasNewer
  }
  return all
}

test('what a limited sync left out is asked for when somebody scrolls there, and stands in its place once', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(60, 'first')]
  const missed = many(230, 'missed')
  const last = many(20, 'last')
  await synced.news(first)
  await synced.news(last, { missed })
  t.deepEqual(ids((await synced.page({ before: 20 })).items), ids(last.map(e => ({ eventId: e.event_id }))))
  const all = [...first, ...missed, ...last].map(({ event_id }) => event_id)
  t.deepEqual(await scrolledBack(synced), all)
  const asked = synced.asked.length
  t.deepEqual(await scrolledBack(synced), all)
  t.is(synced.asked.length, asked, 'all of it is here now')
  await synced.restart()
  synced.isOffline = true
  t.deepEqual(await scrolledBack(synced), all, 'and after a restart')
})

test('from what was live before a gap one scrolls on into it', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(10, 'first')]
  const missed = many(230, 'missed')
  const last = many(20, 'last')
  await synced.news(first)
  await synced.news(last, { missed })
  const all = [...first, ...missed, ...last].map(({ event_id }) => event_id)
  t.deepEqual(await scrolledOn(synced, all[5]!), all.slice(5))
})

test('a gap in which nothing has a line of its own is not jumped over', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(10, 'first')]
  await synced.news(first)
  const reactions = Array.from({ length: 120 }, (_, i) => reaction(first[3]!.event_id, `key ${i}`))
  const hidden = many(5, 'hidden')
  const last = many(3, 'last')
  await synced.news(last, { missed: [...hidden, ...reactions] })
  t.deepEqual(
    await scrolledBack(synced, 4),
    [...first, ...hidden, ...last].map(({ event_id }) => event_id),
  )
  const page = await synced.page({ before: 50 })
  t.is(page.items.find(({ eventId }) => eventId === first[3]!.event_id)?.reactions.length, 120)
})

test('a jump into the past makes an island from which one scrolls to both ends', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(10, 'first')]
  const missed = many(400, 'missed')
  const last = many(20, 'last')
  await synced.news(first)
  await synced.news(last, { missed })
  const all = [...first, ...missed, ...last].map(({ event_id }) => event_id)
  const middle = missed[150]!.event_id
  const page = await synced.page({ at: { eventId: middle }, before: 5, after: 5 })
  t.deepEqual(ids(page.items), all.slice(all.indexOf(middle) - 5, all.indexOf(middle) + 6))
  t.true(page.hasNewer && page.hasOlder)
  t.deepEqual(await scrolledOn(synced, middle, 60), all.slice(all.indexOf(middle)))
  t.deepEqual(await scrolledBack(synced, 60), all)
  const day = await synced.page({
    at: { ts: missed[200]!['origin_server_ts'] as number },
    before: 0,
    after: 0,
  })
  t.deepEqual(ids(day.items), [missed[200]!.event_id])
})

test('a link to a reaction leads to what it belongs to; a link to what nobody has says so', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(3, 'first')]
  const liked = reaction(first[2]!.event_id)
  await synced.news([...first, liked])
  const page = await synced.page({ at: { eventId: liked.event_id }, before: 0, after: 0 })
  t.deepEqual(ids(page.items), [first[2]!.event_id])
  await t.throwsAsync(synced.page({ at: { eventId: '$nowhere' } }), { code: 'M_NOT_FOUND' })
})

test('without the server a page is what is here, and says that it is', async t => {
  const synced = await Synced.open()
  await synced.news([...begin(), ...many(3, 'first')])
  const last = many(4, 'last')
  await synced.news(last, { missed: many(10, 'missed') })
  synced.isOffline = true
  const page = await synced.page()
  t.deepEqual(
    ids(page.items),
    last.map(({ event_id }) => event_id),
  )
  t.true(page.offline && page.hasOlder)
})

test('a commit that fails changes nothing, and the same answer is taken when it comes again', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(49, 'first')]
  await synced.news(first)
  const next = many(60, 'next')
  synced.records.fails = writes =>
    writes.some(({ collection }) => collection === 'timeline') ? new VaultError('VAULT_FULL', 'full') : null
  await t.throwsAsync(synced.news(next), { code: 'VAULT_FULL' })
  t.is((await synced.page({ before: 200 })).items.length, first.length)
  synced.records.fails = () => null
  synced.rooms.set(roomId, first)
  await synced.news(next)
  t.deepEqual(
    await scrolledBack(synced),
    [...first, ...next].map(({ event_id }) => event_id),
  )
})

test('a sync that comes while history is being stored is stored as well', async t => {
  const synced = await Synced.open()
  const first = [...begin(), ...many(10, 'first')]
  const missed = many(30, 'missed')
  const last = many(5, 'last')
  await synced.news(first)
  await synced.news(last, { missed })
  const { promise: disk, resolve: go } = Promise.withResolvers<void>()
  const { promise: isStoring, resolve: storing } = Promise.withResolvers<void>()
  synced.records.wait = async writes => {
    if (!writes.some(({ collection }) => collection === 'timeline')) return
    synced.records.wait = async () => {}
    storing()
    await disk
  }
  const page = synced.page({ before: 20 })
  await isStoring
  const next = many(3, 'next')
  const sync = synced.news(next)
  // As far as the sync comes by itself.
  for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve))
  go()
  await Promise.all([page, sync])
  await synced.restart()
  const all = [...first, ...missed, ...last, ...next].map(({ event_id }) => event_id)
  t.deepEqual(await scrolledBack(synced), all)
})

test('syncs, scrolling and jumps at the same time lose nothing, also over a restart', async t => {
  // A small generator: the same run each time.
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % below
  }
  const synced = await Synced.open()
  const first = [...begin(), ...many(10, 'first')]
  let all: Raw[] = [...first]
  await synced.news(first)
  const under: Promise<unknown>[] = []
  for (let i = 0; i < 60; i++) {
    const missed = random(3) === 0 ? some(random(180), all) : []
    const events = some(1 + random(40), all)
    all = [...all, ...missed, ...events]
    under.push(synced.news(events, { missed }))
    const place = all[random(all.length)]!
    if (random(2) === 0) under.push(synced.page({ before: random(100) }))
    if (random(3) === 0 && lines([place]).length > 0) {
      const jump = synced.page({ at: { eventId: place.event_id }, before: random(50), after: random(50) })
      under.push(jump.catch(() => {}))
    }
    if (random(4) === 0) await Promise.all(under.splice(0))
  }
  await Promise.all(under)
  if (random(2) === 0) await synced.restart()
  const back = await scrolledBack(synced, 37)
  t.deepEqual(
    lines(all).filter(id => !back.includes(id)),
    [],
    'nothing is missing',
  )
  t.is(new Set(back).size, back.length, 'nothing is there twice')
  t.deepEqual(back, lines(all))
  await synced.restart()
  synced.isOffline = true
  t.deepEqual(await scrolledBack(synced, 50), lines(all))
})

/** Messages and reactions to earlier ones. */
function some(count: number, before: readonly Raw[]): Raw[] {
  return Array.from({ length: count }, (_, i) =>
    i % 3 === 1 ? reaction(before[i % before.length]!.event_id) : text(`message ${i}`),
  )
}

function lines(events: readonly Raw[]): string[] {
  return events.filter(({ type }) => type !== 'm.reaction').map(({ event_id }) => event_id)
}
