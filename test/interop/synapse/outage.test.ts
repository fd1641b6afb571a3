// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/**
 * Days without the other: hundreds of events in several rooms happen meanwhile, on either side in turn. Afterwards all of it
 * is on both. Our days pass by a shifted clock, Synapse's by what it has written down of us.
 */
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { at, type Person, until } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn
const dayMs = 86_400_000

let world: World
let ours: Person
let theirs: Person
const rooms: string[] = []

test.before(async () => {
  world = await World.open()
  ours = await world.atLetro('amal')
  theirs = await world.atSynapse('jonas')
  for (const [maker, guest, version] of [
    [ours, theirs, '12'],
    [ours, theirs, '11'],
    [theirs, ours, '12'],
    [theirs, ours, '11'],
  ] as const) {
    const roomId = await maker.createRoom({
      preset: 'private_chat',
      room_version: version,
      invite: [guest.userId],
      power_level_content_override: { state_default: 0 },
    })
    await guest.isInvited(roomId)
    await guest.join(roomId)
    await maker.isMember(roomId, guest.userId, 'join')
    await guest.sees(roomId, await maker.say(roomId, 'before'))
    await maker.sees(roomId, await guest.say(roomId, 'before, too'))
    rooms.push(roomId)
  }
})
test.after.always(() => world?.close())
test.afterEach.always(t => {
  if (!t.passed) t.log(world.words)
})

const seg = encodeURIComponent

/** Messages, and in between state, an edit, a reaction and a redaction. Answers with the ids, in order. */
async function muchHappens(who: Person, roomId: string, count: number, when: string): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    if (i % 10 === 9) ids.push(await who.setState(roomId, 'm.room.topic', { topic: `${when} ${i}` }))
    else ids.push(await who.say(roomId, `${when} ${i}`))
  }
  const [first, second] = ids as [string, string]
  const edited = { 'm.new_content': { msgtype: 'm.text', body: 'edited' } }
  ids.push(
    await who.say(roomId, '* edited', {
      ...edited,
      'm.relates_to': { rel_type: 'm.replace', event_id: first },
    }),
    await who.send(roomId, 'm.reaction', {
      'm.relates_to': { rel_type: 'm.annotation', event_id: first, key: '👍' },
    }),
  )
  const path = `${at(roomId)}/redact/${seg(second)}/r${when}`
  ids.push((await who.api('PUT', path, {})).event_id)
  return ids
}

/** All event ids of the room as this person reads it, the oldest first. */
async function history(who: Person, roomId: string): Promise<string[]> {
  const ids: string[] = []
  let from: string | undefined
  do {
    const page = await who.api('GET', `${at(roomId)}/messages?dir=b&limit=100${from ? `&from=${from}` : ''}`)
    ids.unshift(...page.chunk.map((event: any) => event.event_id).reverse())
    from = page.end
  } while (from)
  return ids
}

async function hasAll(who: Person, roomId: string, ids: readonly string[]): Promise<string[]> {
  await who.sees(roomId, ids.at(-1)!)
  return until(`${who.userId} has all of ${roomId}`, async () => {
    const there = await history(who, roomId)
    return ids.every(id => there.includes(id)) ? there : undefined
  })
}

/** Words and marks of redaction as well, and for a failure that tells something. */
async function said(who: Person, roomId: string, ids: readonly string[]): Promise<string[]> {
  const events = await Promise.all(ids.map(id => who.sees(roomId, id)))
  return events.map(({ type, content, event_id: id, unsigned }) =>
    JSON.stringify([type, content['body'], id, unsigned?.['redacted_because']?.event_id]),
  )
}

async function stateIds(who: Person, roomId: string): Promise<string[]> {
  return (await who.state(roomId)).map(event => `${event.type} ${event.state_key} ${event.event_id}`).sort()
}

/** By event id, on both servers; nothing is there twice, and nobody knows an event that the other does not. */
async function isSame(t: ExecutionContext<unknown>, roomId: string): Promise<void> {
  await until('the same state', async () =>
    (await stateIds(ours, roomId)).join() === (await stateIds(theirs, roomId)).join() ? true : undefined,
  ).catch(() => {})
  t.deepEqual(await stateIds(ours, roomId), await stateIds(theirs, roomId))
  const [here, there] = [await history(ours, roomId), await history(theirs, roomId)]
  t.is(new Set(here).size, here.length, 'nothing is there twice')
  const [had, have] = [await said(theirs, roomId, there), await said(ours, roomId, here)]
  t.deepEqual(
    had.filter(event => !have.includes(event)),
    [],
    'we have all that they have',
  )
  t.deepEqual(
    have.filter(event => !had.includes(event)),
    [],
    'they have all that we have',
  )
}

async function tellDevice(who: Person, to: Person, text: string): Promise<void> {
  const body = { messages: { [to.userId]: { [to.session.deviceId]: { text } } } }
  await who.api('PUT', `/v3/sendToDevice/org.letro.test/d${seg(text)}`, body)
}

const isTold = (who: Person, text: string, since: string) =>
  who.syncUntil(
    `${who.userId} gets what was sent to the device`,
    answer => answer.to_device?.events.some((event: any) => event.content.text === text) || undefined,
    since,
  )

test.serial('Synapse is away for six of our days', async t => {
  const { next_batch: since } = await theirs.api('GET', '/v3/sync?timeout=0')
  await world.synapse.kill()
  const happened = new Map<string, string[]>(rooms.map(roomId => [roomId, []]))
  // No further: Synapse believes a server's key for seven days.
  for (const day of [0, 3, 6]) {
    if (day !== 0) {
      await world.letro.process.kill()
      world.letro.process.clockOffsetMs = day * dayMs
      await world.letro.process.start()
    }
    for (const roomId of rooms)
      happened.get(roomId)!.push(...(await muchHappens(ours, roomId, 25, `day ${day}`)))
    await tellDevice(ours, theirs, `day ${day}`)
  }
  const { body: peer } = await world.letro.admin('GET', `/peers/${seg(world.synapse.serverName)}`)
  t.true(peer.outbound.length >= 3 * 4 * 28, JSON.stringify(peer.outbound))
  t.true(Date.now() + 6 * dayMs - peer.outbound.oldest_ts > 5 * dayMs, 'the oldest has waited for days')

  await world.synapse.start()
  for (const [roomId, ids] of happened) {
    const there = await hasAll(theirs, roomId, ids)
    t.deepEqual(
      there.filter(id => ids.includes(id)),
      ids,
      'in the order in which they were said',
    )
    await isSame(t, roomId)
  }
  await isTold(theirs, 'day 0', since)
  await isTold(theirs, 'day 6', since)
})

test.serial('we are away for days, and Synapse has given us up', async t => {
  const { next_batch: since } = await ours.api('GET', '/v3/sync?timeout=0')
  await world.letro.process.kill()
  const happened = new Map<string, string[]>()
  for (const roomId of rooms) happened.set(roomId, await muchHappens(theirs, roomId, 75, 'away'))
  await tellDevice(theirs, ours, 'while you were away')
  // What it had in memory for us is gone as well: it goes on from its database, with the newest of each room.
  await world.synapse.kill()
  world.synapse.hasFoundSilent(world.letro.serverName, 2 * dayMs)
  await world.synapse.start()

  world.letro.process.clockOffsetMs = 6 * dayMs
  await world.letro.process.start()
  // It hears from us.
  const heard = new Map<string, string>()
  for (const roomId of rooms) heard.set(roomId, await ours.say(roomId, 'here we are again'))
  for (const [roomId, ids] of happened) {
    await theirs.sees(roomId, heard.get(roomId)!)
    const here = await hasAll(ours, roomId, ids)
    t.deepEqual(
      here.filter(id => ids.includes(id)),
      ids,
      'in the order in which they were said',
    )
    await isSame(t, roomId)
  }
  await isTold(ours, 'while you were away', since)
})

test.serial('and both go on', async t => {
  for (const roomId of rooms) {
    await theirs.sees(roomId, await ours.say(roomId, 'ours'))
    await ours.sees(roomId, await theirs.say(roomId, 'theirs'))
    await isSame(t, roomId)
  }
})
