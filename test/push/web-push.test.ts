/** Pushers and the bell, over the whole server; the push service is the test. */
import test, { type ExecutionContext } from 'ava'
import { isAllowedEndpoint, type PushRequest } from '../../server/push/web-push.ts'
import { startTestServer, type TestPerson, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { PushBrowser, vapidClaims } from './browser.ts'

const v3 = '/_matrix/client/v3'
const host = 'push.example'
const minuteMs = 60_000
const startedTs = Date.now()

interface World {
  readonly server: TestServer
  readonly rung: PushRequest[]
  /** How the push service answers; a number is a status, null is silence. */
  answer: number | null
  retryAfterSeconds: number | null
  shiftMs: number
}

async function open(t: ExecutionContext, hosts = `"${host}"`): Promise<World> {
  const world = {
    rung: [] as PushRequest[],
    answer: 201 as number | null,
    retryAfterSeconds: null,
    shiftMs: 0,
  }
  const server = await startTestServer({
    config: `[push]\nhosts = [${hosts}]\n`,
    // It stands still: nothing is due before a test says so.
    clock: () => startedTs + world.shiftMs,
    sendPush: async request => {
      world.rung.push(request)
      if (world.answer === null) throw new Error('no answer')
      return { status: world.answer, retryAfterSeconds: world.retryAfterSeconds }
    },
  })
  t.teardown(() => server.close())
  return Object.assign(world, { server })
}

const pusher = (browser: PushBrowser, more: object = {}) => ({
  app_id: 'org.letro.app',
  pushkey: browser.subscription.endpoint.slice(-20),
  kind: 'org.letro.webpush',
  app_display_name: 'Letro',
  device_display_name: 'Phone',
  lang: 'ar',
  data: { subscription: browser.subscription },
  ...more,
})

const set = (person: TestPerson, body: object) => person.call('POST', `${v3}/pushers/set`, { body })
const browserAt = (name = 'device-1') => new PushBrowser(`https://${host}/send/${name}-0123456789`)

async function talk(from: TestPerson, to: TestPerson): Promise<string> {
  const { body } = await from.call('POST', `${v3}/createRoom`, {
    body: { invite: [to.userId], preset: 'trusted_private_chat' },
  })
  await to.call('POST', `${v3}/join/${encodeURIComponent(body.room_id)}`, { body: {} })
  return body.room_id
}

let txn = 0
const write = async (from: TestPerson, roomId: string, type = 'm.room.message', content?: object) => {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/${type}/t${txn++}`
  const { body } = await from.call('PUT', path, {
    body: content ?? { msgtype: 'm.text', body: 'secret words' },
  })
  return body.event_id as string
}
const read = (person: TestPerson, roomId: string, eventId: string) =>
  person.call(
    'POST',
    `${v3}/rooms/${encodeURIComponent(roomId)}/receipt/m.read/${encodeURIComponent(eventId)}`,
    {
      body: {},
    },
  )

/** After what was written before was looked at, and its moment is over. */
async function settled(world: World): Promise<void> {
  world.shiftMs += 10_000
  const someone = await world.server.register(`wake${txn++}`)
  await someone.call('POST', `${v3}/createRoom`, { body: {} })
  await new Promise(resolve => setTimeout(resolve, 300))
}

test('a message rings a browser, and tells the push service nothing', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const roomId = await talk(amal, jonas)
  const browser = browserAt()
  t.is((await set(jonas, pusher(browser))).status, 200)
  await write(amal, roomId, 'm.room.encrypted', { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' })
  await settled(world)
  await until(() => world.rung.length === 1)
  const [request] = world.rung
  t.is(request!.endpoint, browser.subscription.endpoint)
  t.deepEqual(browser.open(request!), { rooms: 1, lang: 'ar' })
  t.like(request!.headers, { Urgency: 'high', Topic: 'letro', TTL: '86400' })
  const { body: app } = await world.server.call('GET', '/_letro/client/v1/app')
  t.true(app.push.allowed)
  const vapid = vapidClaims(request!)!
  t.is(vapid.key, app.push.vapid_public_key)
  t.is(vapid.claims['aud'], `https://${host}`)
  t.notRegex(JSON.stringify(request), /amal|jonas|localhost:\d+.*!/)
})

test('several messages at once are one ring; later ones ring again, with the number of rooms', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const rooms = [await talk(amal, jonas), await talk(amal, jonas)]
  const browser = browserAt()
  await set(jonas, pusher(browser))
  for (const roomId of [...rooms, ...rooms]) await write(amal, roomId)
  // Whatever the bell has heard of them by now: after a start it hears the rest together.
  await world.server.restart()
  await settled(world)
  await until(() => world.rung.length === 1)
  t.deepEqual(browser.open(world.rung[0]!), { rooms: 2, lang: 'ar' })
  await write(amal, rooms[0]!)
  await settled(world)
  await until(() => world.rung.length === 2)
  t.deepEqual(browser.open(world.rung[1]!), { rooms: 1, lang: 'ar' })
})

test('who has read meanwhile, who wrote it, who muted the room and who ignores the sender is not rung', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const layla = await world.server.register('layla')
  const roomId = await talk(amal, jonas)
  const second = await talk(amal, layla)
  await set(amal, pusher(browserAt('amal')))
  await set(jonas, pusher(browserAt('jonas')))
  await set(layla, pusher(browserAt('layla')))
  const eventId = await write(amal, roomId)
  await read(jonas, roomId, eventId)
  await layla.call('PUT', `${v3}/user/${layla.userId}/account_data/m.ignored_user_list`, {
    body: { ignored_users: { [amal.userId]: {} } },
  })
  await write(amal, second)
  await settled(world)
  t.is(world.rung.length, 0)
  await jonas.call('PUT', `${v3}/pushrules/global/override/${encodeURIComponent(roomId)}`, {
    body: { actions: [], conditions: [{ kind: 'event_match', key: 'room_id', pattern: roomId }] },
  })
  await write(amal, roomId)
  await settled(world)
  t.is(world.rung.length, 0)
})

test('an invitation rings', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const browser = browserAt()
  await set(jonas, pusher(browser))
  await amal.call('POST', `${v3}/createRoom`, { body: { invite: [jonas.userId] } })
  await settled(world)
  await until(() => world.rung.length === 1)
  t.deepEqual(browser.open(world.rung[0]!), { rooms: 1, lang: 'ar' })
})

test('a push service that fails is asked again, later and later; a restart forgets nothing', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const roomId = await talk(amal, jonas)
  const browser = browserAt()
  await set(jonas, pusher(browser))
  world.answer = 503
  await write(amal, roomId)
  await settled(world)
  await until(() => world.rung.length === 1)
  await settled(world)
  t.is(world.rung.length, 1, 'not before its time')
  world.shiftMs += minuteMs
  world.answer = null
  await settled(world)
  await until(() => world.rung.length === 2)
  await world.server.restart()
  world.shiftMs += 2 * minuteMs
  world.answer = 201
  await settled(world)
  await until(() => world.rung.length === 3)
  t.deepEqual(browser.open(world.rung[2]!), { rooms: 1, lang: 'ar' })
  world.shiftMs += 60 * minuteMs
  await settled(world)
  t.is(world.rung.length, 3, 'rung is rung')
})

test('Retry-After is kept to, and after a day nobody rings for an old message', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const roomId = await talk(amal, jonas)
  await set(jonas, pusher(browserAt()))
  Object.assign(world, { answer: 429, retryAfterSeconds: 600 })
  await write(amal, roomId)
  await settled(world)
  await until(() => world.rung.length === 1)
  world.shiftMs += 5 * minuteMs
  await settled(world)
  t.is(world.rung.length, 1)
  world.shiftMs += 24 * 60 * minuteMs
  await settled(world)
  await until(() => world.rung.length === 2)
  world.shiftMs += 24 * 60 * minuteMs
  await settled(world)
  t.is(world.rung.length, 2)
})

test('a subscription that is gone ends its pusher; so do logout and the person’s wish', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const roomId = await talk(amal, jonas)
  const pushers = async () => (await jonas.call('GET', `${v3}/pushers`)).body.pushers
  for (const status of [404, 410]) {
    world.answer = status
    await set(jonas, pusher(browserAt()))
    t.is((await pushers()).length, 1)
    await write(amal, roomId)
    await settled(world)
    await until(async () => (await pushers()).length === 0)
  }
  const browser = browserAt()
  await set(jonas, pusher(browser))
  await set(jonas, pusher(browser, { kind: null }))
  t.deepEqual(await pushers(), [])
  const other = await world.server.login('jonas')
  await set(other, pusher(browser))
  t.is((await pushers()).length, 1)
  await other.call('POST', `${v3}/logout`, { body: {} })
  t.deepEqual(await pushers(), [])
})

test('a pusher is shown without what would let its reader ring', async t => {
  const world = await open(t)
  const jonas = await world.server.register('jonas')
  await set(jonas, pusher(browserAt(), { profile_tag: 'x' }))
  const { body } = await jonas.call('GET', `${v3}/pushers`)
  t.deepEqual(body.pushers, [
    {
      app_id: 'org.letro.app',
      pushkey: browserAt().subscription.endpoint.slice(-20),
      kind: 'org.letro.webpush',
      app_display_name: 'Letro',
      device_display_name: 'Phone',
      lang: 'ar',
      profile_tag: 'x',
      'org.letro.device_id': jonas.deviceId,
      data: { host },
    },
  ])
})

test('one browser belongs to one person, unless it is asked to append', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const count = async (person: TestPerson) => (await person.call('GET', `${v3}/pushers`)).body.pushers.length
  const browser = browserAt()
  await set(amal, pusher(browser))
  await set(jonas, pusher(browser, { append: true }))
  t.deepEqual([await count(amal), await count(jonas)], [1, 1])
  await set(jonas, pusher(browser))
  t.deepEqual([await count(amal), await count(jonas)], [0, 1])
})

test('what is no subscription, or points somewhere else, is refused', async t => {
  const world = await open(t)
  const jonas = await world.server.register('jonas')
  const browser = browserAt()
  const at = (endpoint: string) => ({ data: { subscription: { ...browser.subscription, endpoint } } })
  const keys = (keys: object) => ({ data: { subscription: { ...browser.subscription, keys } } })
  const cases: [object, number, string][] = [
    [{ kind: 'http', data: { url: 'https://push.example/_matrix/push/v1/notify' } }, 400, 'M_UNKNOWN'],
    [{ kind: 'email' }, 400, 'M_UNKNOWN'],
    [{ kind: undefined }, 400, 'M_MISSING_PARAM'],
    [{ pushkey: 'x'.repeat(513) }, 400, 'M_INVALID_PARAM'],
    [{ app_id: 7 }, 400, 'M_BAD_JSON'],
    [{ data: {} }, 400, 'M_MISSING_PARAM'],
    [at('https://evil.example/x'), 403, 'M_FORBIDDEN'],
    [at(`http://${host}/x`), 403, 'M_FORBIDDEN'],
    [at(`https://${host}:8443/x`), 403, 'M_FORBIDDEN'],
    [at(`https://${host}@evil.example/x`), 403, 'M_FORBIDDEN'],
    [at(`https://${host}.evil.example/x`), 403, 'M_FORBIDDEN'],
    [at('not a url'), 403, 'M_FORBIDDEN'],
    [keys({ p256dh: 'AAAA', auth: browser.subscription.keys.auth }), 400, 'M_INVALID_PARAM'],
    [keys({ ...browser.subscription.keys, auth: '' }), 400, 'M_INVALID_PARAM'],
    [keys({ auth: browser.subscription.keys.auth }), 400, 'M_MISSING_PARAM'],
  ]
  for (const [more, status, errcode] of cases) {
    const answer = await set(jonas, pusher(browser, more))
    t.like({ status: answer.status, ...answer.body }, { status, errcode }, JSON.stringify(more))
  }
  t.is((await world.server.call('GET', `${v3}/pushers`)).status, 401)
})

test('without allowed hosts push is off: nothing is kept, no key is made', async t => {
  const world = await open(t, '')
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const answer = await set(jonas, pusher(browserAt()))
  t.is(answer.status, 403)
  t.regex(answer.body.error, /Push is off/)
  t.deepEqual((await world.server.call('GET', '/_letro/client/v1/app')).body.push, { allowed: false })
  await write(amal, await talk(amal, jonas))
  await settled(world)
  t.is(world.rung.length, 0)
})

test('the key by which push services know this server stays the same', async t => {
  const world = await open(t)
  const key = async () =>
    (await world.server.call('GET', '/_letro/client/v1/app')).body.push.vapid_public_key as string
  const before = await key()
  t.is(Buffer.from(before, 'base64url').length, 65)
  await world.server.restart()
  t.is(await key(), before)
})

test('a star allows the names below, and not the name itself', t => {
  const hosts = ['*.push.apple.com', 'fcm.googleapis.com']
  t.true(isAllowedEndpoint('https://web.push.apple.com/x', hosts))
  t.true(isAllowedEndpoint('https://fcm.googleapis.com/fcm/send/x', hosts))
  t.false(isAllowedEndpoint('https://push.apple.com/x', hosts))
  t.false(isAllowedEndpoint('https://evilpush.apple.com/x', hosts))
  t.false(isAllowedEndpoint('https://a.fcm.googleapis.com/x', hosts))
})

// ── notifications ────────────────────────────────────────────────────────────────────────────────────

test('what a person was notified of, the newest first, in pages, with what is read', async t => {
  const world = await open(t)
  const [amal, jonas] = [await world.server.register('amal'), await world.server.register('jonas')]
  const rooms = [await talk(amal, jonas), await talk(amal, jonas)]
  const ids: string[] = []
  for (const roomId of [...rooms, ...rooms]) ids.push(await write(amal, roomId))
  await write(jonas, rooms[0]!)
  const mention = await write(amal, rooms[1]!, 'm.room.message', {
    msgtype: 'm.text',
    body: 'jonas!',
    'm.mentions': { user_ids: [jonas.userId] },
  })
  await read(jonas, rooms[1]!, ids[3]!)
  const get = async (query = '') => (await jonas.call('GET', `${v3}/notifications${query}`)).body
  const all = await get()
  const expected = [mention, ...ids.toReversed()]
  t.deepEqual(
    all.notifications
      .map(({ event }: { event: { event_id: string } }) => event.event_id)
      .filter((id: string) => expected.includes(id)),
    expected,
  )
  t.deepEqual(
    all.notifications.slice(0, 3).map(({ read }: { read: boolean }) => read),
    [false, true, true],
  )
  t.like(all.notifications[0], { room_id: rooms[1], event: { room_id: rooms[1] } })
  t.true(all.notifications[0].actions.includes('notify'))
  const first = await get('?limit=2')
  t.is(first.notifications.length, 2)
  const second = await get(`?limit=2&from=${first.next_token}`)
  t.deepEqual(
    [...first.notifications, ...second.notifications].map(({ event }) => event.event_id),
    expected.slice(0, 4),
  )
  const highlights = await get('?only=highlight')
  t.deepEqual(
    highlights.notifications.map(({ event }: { event: { event_id: string } }) => event.event_id),
    [mention],
  )
  t.is((await jonas.call('GET', `${v3}/notifications?only=x`)).status, 400)
  t.is((await jonas.call('GET', `${v3}/notifications?from=x`)).status, 400)
})
