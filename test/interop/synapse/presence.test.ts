// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/** Who is there, as the people on a real Synapse and ours are told of each other, with `presence.enabled`. */
import anyTest, { type TestFn } from 'ava'
import { type Person, until } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn

let world: World
let ours: Person
let theirs: Person

const ways = () =>
  [
    ['ours of theirs', ours, theirs],
    ['theirs of ours', theirs, ours],
  ] as const

test.before(async () => {
  world = await World.open({ 'presence.enabled': 'true' })
  ours = await world.atLetro('amal')
  theirs = await world.atSynapse('jonas')
})
test.after.always(() => world?.close())
test.afterEach.always(t => {
  if (!t.passed) t.log(world.words)
})

const statusPath = (who: Person) => `/v3/presence/${encodeURIComponent(who.userId)}/status`

const set = (who: Person, presence: string, text?: string) =>
  who.api('PUT', statusPath(who), { presence, ...(text === undefined ? {} : { status_msg: text }) })

/** What one is told of the other when asking for it, once it is this. */
const is = (asks: Person, about: Person, presence: string) =>
  until(`${asks.userId} is told that ${about.userId} is ${presence}`, async () => {
    const { status, body } = await asks.ask('GET', statusPath(about))
    return status === 200 && body.presence === presence ? body : undefined
  })

const presenceIn = (answer: any, of: Person) =>
  answer.presence?.events.find((event: any) => event.sender === of.userId)?.content

test.serial('whoever comes into a room is told who is there, and those there of them', async t => {
  await set(ours, 'online', 'was here first')
  const roomId = await ours.createRoom({
    preset: 'private_chat',
    room_version: '11',
    invite: [theirs.userId],
  })
  await theirs.isInvited(roomId)
  await theirs.join(roomId)
  t.is((await is(theirs, ours, 'online')).status_msg, 'was here first')
  await is(ours, theirs, 'online')
})

test.serial('a change is told in /sync and where it is asked for, with its text', async t => {
  for (const [way, asks, changes] of ways()) {
    const { next_batch: since } = await asks.api('GET', '/v3/sync?timeout=0')
    const text = `busy, ${way}`
    await set(changes, 'unavailable', text)
    const told = await asks.syncUntil(
      way,
      answer => {
        const content = presenceIn(answer, changes)
        return content?.presence === 'unavailable' ? content : undefined
      },
      since,
    )
    t.is(told.status_msg, text, way)
    const asked = await is(asks, changes, 'unavailable')
    t.is(asked.status_msg, text, way)
    t.true(asked.last_active_ago >= 0 && asked.last_active_ago < 120_000, way)
  }
})

test.serial('who goes is gone, and who comes back is there', async t => {
  for (const [, asks, changes] of ways()) {
    await set(changes, 'offline')
    await is(asks, changes, 'offline')
    // As any client says it by asking for news.
    await changes.api('GET', '/v3/sync?timeout=0&set_presence=online')
    await is(asks, changes, 'online')
    t.pass()
  }
})

test.serial('a client that does not want to be seen is not', async t => {
  for (const [way, asks, hides] of ways()) {
    await set(hides, 'offline')
    await is(asks, hides, 'offline')
    await hides.api('GET', '/v3/sync?timeout=0&set_presence=offline')
    const { next_batch: since } = await asks.api('GET', '/v3/sync?timeout=0&set_presence=offline')
    const later = await asks.api('GET', `/v3/sync?timeout=2000&since=${since}&set_presence=offline`)
    t.not(presenceIn(later, hides)?.presence, 'online', way)
    t.is((await is(asks, hides, 'offline')).presence, 'offline', way)
  }
})
