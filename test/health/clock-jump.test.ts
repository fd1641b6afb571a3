/** A whole server whose clock is set forward and back while it runs: what people and administrators notice of it. */
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { adminToken, startAdministered } from '../support/administered.ts'
import type { TestPerson } from '../support/server.ts'
import { dayMs, hourMs, minuteMs, start } from './watched.ts'

const adminPath = '/_letro/admin/v1'

async function jumping(t: ExecutionContext, config = '') {
  const time = { now: start, steady: 0 }
  const clocks = { clock: () => time.now, monotonic: () => time.steady }
  const server = await startAdministered(t, config, clocks)
  const setKind = (userId: string, body: object) =>
    server.call('PUT', `${adminPath}/people/${encodeURIComponent(userId)}/kind`, { token: adminToken, body })
  return {
    server,
    time,
    pass(ms: number) {
      time.now += ms
      time.steady += ms
    },
    async administrator(): Promise<TestPerson> {
      const root = await server.register('root')
      await setKind(root.userId, { kind: 'administrator' })
      return root
    },
    /** Whose account ends in a hundred days. */
    async guestOf(sponsor: TestPerson): Promise<TestPerson> {
      const guest = await server.register('guest')
      const end = { expires_ts: time.now + 100 * dayMs, sponsor: sponsor.userId }
      await setKind(guest.userId, { kind: 'external', ...end })
      return guest
    },
  }
}

async function roomOf(person: TestPerson): Promise<string> {
  const { body } = await person.call('POST', '/_matrix/client/v3/createRoom', { body: {} })
  return body.room_id
}

async function say(person: TestPerson, roomId: string, body: string): Promise<void> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${body}`
  const { status } = await person.call('PUT', path, { body: { msgtype: 'm.text', body } })
  if (status !== 200) throw new Error(`${body} was refused: ${status}`)
}

test('messages keep the order in which they were written, whatever the clock did in between', async t => {
  const { server, time, pass } = await jumping(t)
  const alice = await server.register('alice')
  const roomId = await roomOf(alice)
  const bodies = ['before', 'a-day-ahead', 'a-year-back', 'right-again']
  for (const [i, jump] of [0, dayMs, -366 * dayMs, 365 * dayMs].entries()) {
    time.now += jump
    pass(minuteMs)
    await say(alice, roomId, bodies[i]!)
  }
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=4`
  const { body } = await alice.call('GET', path)
  t.deepEqual(
    body.chunk.map(({ content }: { content: { body: string } }) => content.body),
    bodies.toReversed(),
  )
})

test('a limit that was reached is over when its time is, though the clock was set back by a day', async t => {
  const { server, time, pass } = await jumping(t, '[limits]\nenabled = true\nlogin = "1/m burst 2"')
  const attempt = () =>
    server.call('POST', '/_matrix/client/v3/login', { body: { type: 'm.login.token', token: 'none' } })
  while ((await attempt()).status !== 429);
  time.now -= dayMs
  t.is((await attempt()).status, 429)
  pass(2 * minuteMs)
  t.not((await attempt()).status, 429)
})

test('who waits for news gets an answer when the time is over, though the clock was set back', async t => {
  const { server, time, pass } = await jumping(t)
  const alice = await server.register('alice')
  const first = await alice.call('GET', '/_matrix/client/v3/sync')
  // Everything that came with the account, so that there is nothing left to tell.
  const since = (await alice.call('GET', `/_matrix/client/v3/sync?since=${first.body.next_batch}`)).body
    .next_batch
  const waiting = alice.call('GET', `/_matrix/client/v3/sync?since=${since}&timeout=1000`)
  const moving = setInterval(() => pass(100), 50)
  t.teardown(() => clearInterval(moving))
  // The request has to be there before the clock is set.
  await pause(500)
  time.now -= dayMs
  t.is((await waiting).status, 200)
})

test('a session outlives the jump: its token runs out, is refreshed, and the one that came holds when the time is right again', async t => {
  const { server, time } = await jumping(t)
  await server.register('alice')
  const { body } = await server.call('POST', '/_matrix/client/v3/login', {
    body: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'alice' },
      password: 'correct horse battery staple',
      refresh_token: true,
    },
  })
  const whoami = async (token: string) =>
    (await server.call('GET', '/_matrix/client/v3/account/whoami', { token })).status
  time.now += 30 * dayMs
  t.is(await whoami(body.access_token), 401)
  const refreshed = await server.call('POST', '/_matrix/client/v3/refresh', {
    body: { refresh_token: body.refresh_token },
  })
  t.is(await whoami(refreshed.body.access_token), 200)
  time.now -= 30 * dayMs
  t.is(await whoami(refreshed.body.access_token), 200)
})

test('a clock that jumps ahead of an external person’s last day ends nobody, tells the administrators, and is taken back without loss', async t => {
  const { server, time, pass, administrator, guestOf } = await jumping(t)
  const root = await administrator()
  const guest = await guestOf(root)
  time.now += 365 * dayMs
  await server.app.runDuties()
  t.is((await guest.call('GET', '/_matrix/client/v3/account/whoami')).status, 401)
  const told = await root.call(
    'GET',
    `/_matrix/client/v3/user/${encodeURIComponent(root.userId)}/account_data/org.letro.administration`,
  )
  t.true(JSON.stringify(told.body).includes('"clock.jumped"'))
  t.false(JSON.stringify(told.body).includes('account.end'))
  pass(30 * minuteMs)
  await server.app.runDuties()
  time.now -= 365 * dayMs
  await server.app.runDuties()
  t.is((await guest.call('GET', '/_matrix/client/v3/account/whoami')).status, 200)
})

test('a jump that nobody takes back within an hour is the time', async t => {
  const { server, time, pass, administrator, guestOf } = await jumping(t)
  const root = await administrator()
  const guest = await guestOf(root)
  time.now += 365 * dayMs
  await server.app.runDuties()
  pass(hourMs + minuteMs)
  await server.app.runDuties()
  const path = `${adminPath}/people/${encodeURIComponent(guest.userId)}`
  t.true((await root.call('GET', path)).body.expired)
})

test('the audit is whole over a clock that goes back', async t => {
  const { server, time, administrator } = await jumping(t)
  const root = await administrator()
  await server.register('alice')
  time.now -= 400 * dayMs
  await server.register('bob')
  const { body } = await root.call('GET', `${adminPath}/audit/check`)
  t.true(body.whole)
})
