/** Who waits for news, and what ends the wait. */
import test from 'ava'
import { adminToken, startAdministered } from '../support/administered.ts'
import type { TestPerson } from '../support/server.ts'

const v3 = '/_matrix/client/v3'

const next = async (who: TestPerson) => (await who.call('GET', `${v3}/sync`)).body.next_batch as string
/** Waits longer than a test may take: what does not end the wait fails the test. */
const poll = (who: TestPerson, since: string) => who.call('GET', `${v3}/sync?timeout=600000&since=${since}`)
const settle = () => new Promise(resolve => setTimeout(resolve, 300))

test('a wait ends when its session does, and not when another one ends', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const phone = await server.login('ann', 'PHONE')
  const tablet = await server.login('ann', 'TABLET')
  const stays = poll(tablet, await next(tablet))
  const ends = poll(phone, await next(phone))
  await settle()
  await phone.call('POST', `${v3}/logout`, { body: {} })
  const ended = await ends
  t.deepEqual([ended.status, ended.body.errcode], [401, 'M_UNKNOWN_TOKEN'])

  const lock = `/_letro/admin/v1/people/${ann.userId}/lock`
  t.is((await server.call('PUT', lock, { token: adminToken, body: { locked: true } })).status, 200)
  const locked = await stays
  t.deepEqual([locked.status, locked.body.errcode], [401, 'M_USER_LOCKED'])
})

test('a suspended person goes on syncing', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const waits = poll(ann, await next(ann))
  await settle()
  const path = `/_letro/admin/v1/people/${ann.userId}/suspend`
  t.is((await server.call('PUT', path, { token: adminToken, body: { suspended: true } })).status, 200)
  await ann.call('PUT', `${v3}/user/${ann.userId}/account_data/m.test`, { body: {} })
  t.is((await waits).status, 200)
})

test('of the requests with which one device waits, the oldest is answered when there are too many', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const since = await next(ann)
  const first = poll(ann, since)
  await settle()
  const others = Array.from({ length: 10 }, () => poll(ann, since))
  const answered = await first
  t.is(answered.status, 200)
  await ann.call('PUT', `${v3}/user/${ann.userId}/account_data/m.test`, { body: {} })
  for (const each of await Promise.all(others)) t.is(each.body.account_data.events[0].type, 'm.test')
})

test('a message between devices wakes somebody whose name has a slash in it', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('a/b')
  const ben = await server.register('ben')
  const waits = poll(ann, await next(ann))
  await settle()
  const messages = { [ann.userId]: { '*': { body: 'hello' } } }
  await ben.call('PUT', `${v3}/sendToDevice/m.test/1`, { body: { messages } })
  const { body } = await waits
  t.is(body.to_device?.events.length, 1)
})

test('invites that were there before somebody blocked invites are not shown any more', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const ben = await server.register('ben')
  const since = await next(ben)
  await ann.call('POST', `${v3}/createRoom`, { body: { invite: [ben.userId] } })
  const config = `${v3}/user/${ben.userId}/account_data/m.invite_permission_config`
  await ben.call('PUT', config, { body: { default_action: 'block' } })
  t.is((await ben.call('GET', `${v3}/sync`)).body.rooms, undefined)
  t.is((await ben.call('GET', `${v3}/sync?since=${since}`)).body.rooms, undefined)
  await ben.call('PUT', config, { body: {} })
  t.is(Object.keys((await ben.call('GET', `${v3}/sync`)).body.rooms.invite).length, 1)
})

test('administrators see what was reported, the newest first, and nobody else does', async t => {
  const server = await startAdministered(t)
  const ann = await server.register('ann')
  const ben = await server.register('ben')
  for (const reason of ['one', 'two']) {
    const path = `${v3}/users/${ben.userId}/report`
    t.is((await ann.call('POST', path, { body: { reason } })).status, 200)
  }
  const list = async (query: string) =>
    (await server.call('GET', `/_letro/admin/v1/reports${query}`, { token: adminToken })).body
  const page = await list('?limit=1')
  t.like(page.reports, [{ kind: 'user', reporter: ann.userId, user_id: ben.userId, reason: 'two' }])
  t.like((await list(`?limit=1&from=${page.next_batch}`)).reports, [{ reason: 'one' }])
  t.is((await ann.call('GET', '/_letro/admin/v1/reports')).status, 403)
})
