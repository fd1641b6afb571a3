import test from 'ava'
import type { RoomId } from '../../server/protocol/ids.ts'
import type { Position } from '../../server/store/store.ts'
import { openHarness } from './harness.ts'

const room = '!room:clinic.example' as RoomId
const base = (userId: string) => `/_matrix/client/v3/user/${encodeURIComponent(userId)}`

test('account data is kept for all rooms and for one, for its owner alone', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const global = `${base(alice.userId)}/account_data/org.example.theme`
  const ofRoom = `${base(alice.userId)}/rooms/${room}/account_data/org.example.theme`
  t.is((await h.get(global, alice.token)).body.errcode, 'M_NOT_FOUND')
  t.is((await h.put(global, { dark: true, size: 1.5 }, alice.token)).status, 200)
  t.is((await h.put(ofRoom, { dark: false }, alice.token)).status, 200)
  t.deepEqual((await h.get(global, alice.token)).body, { dark: true, size: 1.5 })
  t.deepEqual((await h.get(ofRoom, alice.token)).body, { dark: false })

  const cases: [string, string, unknown, string | undefined, number, string][] = [
    ['GET', global, undefined, bob.token, 403, 'M_FORBIDDEN'],
    ['PUT', global, {}, bob.token, 403, 'M_FORBIDDEN'],
    ['PUT', global, {}, undefined, 401, 'M_MISSING_TOKEN'],
    ['PUT', global, '[]', alice.token, 400, 'M_BAD_JSON'],
    ['PUT', global, 'nonsense', alice.token, 400, 'M_NOT_JSON'],
    ['PUT', `${base(alice.userId)}/rooms/room/account_data/x`, {}, alice.token, 400, 'M_INVALID_PARAM'],
    [
      'GET',
      `${base(alice.userId)}/rooms/room/account_data/x`,
      undefined,
      alice.token,
      400,
      'M_INVALID_PARAM',
    ],
    ['PUT', `${base(alice.userId)}/account_data/m.fully_read`, {}, alice.token, 405, 'M_BAD_JSON'],
    ['PUT', `${base(alice.userId)}/account_data/m.push_rules`, {}, alice.token, 405, 'M_BAD_JSON'],
    [
      'PUT',
      `${base(alice.userId)}/rooms/${room}/account_data/m.fully_read`,
      {},
      alice.token,
      405,
      'M_BAD_JSON',
    ],
    [
      'PUT',
      `${base(alice.userId)}/account_data/org.letro.administration`,
      {},
      alice.token,
      405,
      'M_BAD_JSON',
    ],
    ['PUT', `${base(alice.userId)}/account_data/${'x'.repeat(256)}`, {}, alice.token, 400, 'M_INVALID_PARAM'],
    ['PUT', global, { text: 'x'.repeat(600_000) }, alice.token, 413, 'M_TOO_LARGE'],
  ]
  for (const [method, path, body, token, status, errcode] of cases) {
    const answer = await h.call(method, path, body, token)
    t.is(answer.status, status, `${method} ${path}`)
    t.is(answer.body.errcode, errcode, `${method} ${path}`)
  }
  t.deepEqual((await h.get(global, alice.token)).body, { dark: true, size: 1.5 })
  await h.close()
})

test('tags are the room’s account data m.tag; fractions are legal in them', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const tags = `${base(alice.userId)}/rooms/${room}/tags`
  t.deepEqual((await h.get(tags, alice.token)).body, { tags: {} })
  t.is((await h.put(`${tags}/m.favourite`, { order: 0.25 }, alice.token)).status, 200)
  t.is((await h.put(`${tags}/u.Work%2FHome`, {}, alice.token)).status, 200)
  t.deepEqual((await h.get(tags, alice.token)).body, {
    tags: { 'm.favourite': { order: 0.25 }, 'u.Work/Home': {} },
  })
  t.deepEqual(await h.accounts.accountData.get(alice.userId, room, 'm.tag'), {
    tags: { 'm.favourite': { order: 0.25 }, 'u.Work/Home': {} },
  })
  t.is((await h.call('DELETE', `${tags}/m.favourite`, undefined, alice.token)).status, 200)
  t.is((await h.call('DELETE', `${tags}/m.favourite`, undefined, alice.token)).status, 200)
  t.deepEqual((await h.get(tags, alice.token)).body, { tags: { 'u.Work/Home': {} } })
  t.is((await h.put(`${tags}/u.x`, { order: 'first' }, alice.token)).body.errcode, 'M_BAD_JSON')
  t.is((await h.put(`${tags}/u.x`, { order: 2 }, alice.token)).body.errcode, 'M_INVALID_PARAM')
  t.is((await h.put(`${tags}/${'x'.repeat(256)}`, {}, alice.token)).body.errcode, 'M_INVALID_PARAM')
  await h.close()
})

test('two tags set at the same moment are both there', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const tags = `${base(alice.userId)}/rooms/${room}/tags`
  await Promise.all(['u.a', 'u.b', 'u.c', 'u.d'].map(tag => h.put(`${tags}/${tag}`, {}, alice.token)))
  t.is(Object.keys((await h.get(tags, alice.token)).body.tags).length, 4)
  await h.close()
})

test('the feed says what changed between two positions, once for each thing', async t => {
  const h = await openHarness()
  const { userId } = await h.member('alice')
  const data = h.accounts.accountData
  const at = () => h.store.durablePosition
  const types = async (after: Position, upTo: Position) =>
    (await data.since(userId, after, upTo)).map(item => `${item.roomId ?? ''} ${item.type}`.trim())

  const start = at()
  t.deepEqual(await types(start, at()), [])
  await data.set(userId, null, 'a', { n: 1 })
  const first = at()
  await data.set(userId, room, 'b', { n: 1 })
  await data.set(userId, null, 'a', { n: 2 })
  const second = at()
  t.deepEqual(await types(start, second), [`${room} b`, 'a'])
  t.deepEqual(await types(first, second), [`${room} b`, 'a'])
  t.deepEqual(await types(second, second), [])
  // What was replaced after `upTo` comes with the next sync, not with this one.
  t.deepEqual(await types(start, first), [])
  t.like((await data.since(userId, first, second)).at(-1), { content: { n: 2 } })
  for (let i = 0; i < 20; i++) await data.set(userId, null, 'a', { n: i })
  t.deepEqual(await types(start, at()), [`${room} b`, 'a'])
  t.is((await data.all(userId)).length, 2)
  await h.close()
  const after = await openHarness({ engine: h.engine })
  t.is((await after.accounts.accountData.since(userId, start, after.store.durablePosition)).length, 2)
  await after.close()
})

test('ignored people are known at once after a change', async t => {
  const h = await openHarness()
  const { userId } = await h.member('alice')
  const data = h.accounts.accountData
  t.deepEqual([...(await data.ignoredUsers(userId))], [])
  await data.set(userId, null, 'm.ignored_user_list', { ignored_users: { '@spam:elsewhere.example': {} } })
  t.deepEqual([...(await data.ignoredUsers(userId))] as string[], ['@spam:elsewhere.example'])
  await data.set(userId, null, 'm.ignored_user_list', { ignored_users: {} })
  t.deepEqual([...(await data.ignoredUsers(userId))], [])
  await h.close()
})

test('an OpenID token names its owner for an hour and opens nothing else', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const path = `${base(alice.userId)}/openid/request_token`
  const { body } = await h.post(path, {}, alice.token)
  t.like(body, { token_type: 'Bearer', matrix_server_name: 'clinic.example', expires_in: 3600 })
  t.is(h.accounts.openId.owner(body.access_token), alice.userId)
  t.is((await h.get('/_matrix/client/v3/account/whoami', body.access_token)).status, 401)
  h.advance(3_600_000)
  t.is(h.accounts.openId.owner(body.access_token), null)
  const bob = await h.member('bob')
  t.is((await h.post(path, {}, bob.token)).status, 403)
  await h.close()
})

test('what one person keeps is bounded as a whole: a first sync carries all of it', async t => {
  const h = await openHarness()
  const ann = await h.member('ann')
  const { accountData } = h.accounts
  const large = { text: 'x'.repeat(500 * 1024) }
  for (let i = 0; i < 32; i++) await accountData.set(ann.userId, null, `m.large${i}`, large)
  await t.throwsAsync(accountData.set(ann.userId, null, 'm.large32', large), { code: 'M_TOO_LARGE' })
  await accountData.set(ann.userId, null, 'm.large0', large)
  await accountData.set(ann.userId, null, 'm.large1', {})
  await accountData.set(ann.userId, null, 'm.large32', large)
  await h.close()
  const again = await openHarness({ engine: h.engine })
  await t.throwsAsync(again.accounts.accountData.set(ann.userId, null, 'm.large33', large), {
    code: 'M_TOO_LARGE',
  })
  await again.close()
})

test('a request that was under way when its account ended writes neither account data nor a profile', async t => {
  const h = await openHarness()
  const ann = await h.member('ann')
  const { accountData, profiles, deactivation } = h.accounts
  await deactivation.deactivate('test', ann.userId, { erase: false })
  const ended = { code: 'M_USER_DEACTIVATED' }
  await t.throwsAsync(accountData.set(ann.userId, null, 'm.late', {}), ended)
  await t.throwsAsync(
    accountData.change(ann.userId, null, 'm.late', () => ({})),
    ended,
  )
  await t.throwsAsync(profiles.setField(ann.userId, 'displayname', 'Ann'), ended)
  t.deepEqual(await profiles.get(ann.userId), {})
  await h.close()
})
