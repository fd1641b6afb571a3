import test from 'ava'
import { StoreError } from '../../server/store/store.ts'
import { FakeRooms } from './fake-rooms.ts'
import { openHarness, passwordOf, serverName } from './harness.ts'

const admin = '/_letro/admin/v1'
const whoami = '/_matrix/client/v3/account/whoami'
const confirm = (localpart: string) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: localpart },
  password: passwordOf(localpart),
})

test('a person ends their own account: credentials, sessions and rooms are gone, the name is not free', async t => {
  const h = await openHarness()
  const removed: boolean[] = []
  h.accounts.onAccountRemoved((_tx, _userId, { erase }) => void removed.push(erase))
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const room = h.rooms.room('!one:clinic.example', [bob.userId, alice.userId])
  const path = '/_matrix/client/v3/account/deactivate'
  await h.accounts.accountData.set(alice.userId, null, 'x', {})
  t.is((await h.post(path, {}, alice.token)).status, 401)
  const done = await h.post(path, { erase: true, auth: confirm('alice') }, alice.token)
  t.deepEqual(done.body, { id_server_unbind_result: 'success' })
  t.is((await h.get(whoami, alice.token)).status, 401)
  t.deepEqual(h.rooms.member(room, alice.userId), { membership: 'leave' })
  t.deepEqual(await h.accounts.accountData.all(alice.userId), [])
  t.deepEqual(await h.accounts.deactivation.erasedAmong([alice.userId, bob.userId]), new Set([alice.userId]))
  t.deepEqual(removed, [true])
  const again = await h.post('/_matrix/client/v3/login', { ...confirm('alice') })
  t.is(again.status, 403)
  t.is((await h.get(`/_matrix/client/v3/profile/${alice.userId}`, bob.token)).status, 404)
  await t.throwsAsync(h.accounts.people.available('alice'), { message: /taken/ })
  await h.close()
})

test('rooms where only this person has power are listed, and go to the named successor', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(name => h.member(name)))
  const sole = h.rooms.room('!sole:clinic.example', [alice!.userId, bob!.userId])
  const shared = h.rooms.room('!shared:clinic.example', [alice!.userId, bob!.userId], {
    users: { [alice!.userId]: 100, [bob!.userId]: 100 },
  })
  const created = h.rooms.room('!created:clinic.example', [alice!.userId, carol!.userId], {
    creators: [alice!.userId],
  })
  h.rooms.room('!alone:clinic.example', [alice!.userId])
  const path = `${admin}/people/${alice!.userId}`
  const listed = await h.get(`${path}/deactivation`, root.token)
  const ids = (rooms: { room_id: string }[]) => rooms.map(room => room.room_id).sort()
  t.deepEqual(ids(listed.body.rooms), [created, sole].sort())
  const own = await h.get('/_letro/client/v1/account/sole_rooms', alice!.token)
  t.deepEqual(ids(own.body.rooms), [created, sole].sort())

  const refused = await h.post(`${path}/deactivate`, {}, root.token)
  t.is(refused.status, 403)
  t.deepEqual(ids(refused.body.rooms), [created, sole].sort())
  t.is((await h.get(whoami, alice!.token)).status, 200, 'a wrong request changes nothing')
  for (const successor of [alice!.userId, '@nobody:clinic.example', 'bob'])
    t.is((await h.post(`${path}/deactivate`, { successor }, root.token)).body.errcode, 'M_INVALID_PARAM')

  t.is((await h.post(`${path}/deactivate`, { successor: bob!.userId }, root.token)).status, 200)
  const levels = async (roomId: typeof sole) =>
    (await h.rooms.view(roomId))!.state('m.room.power_levels', '')!.content['users']
  t.deepEqual(await levels(sole), { [alice!.userId]: 100, [bob!.userId]: 100 })
  t.deepEqual(await levels(created), { [bob!.userId]: 100 })
  t.is(h.rooms.member(created, bob!.userId)!['membership'], 'invite', 'who was not there is invited')
  for (const room of [sole, shared, created])
    t.is(h.rooms.member(room, alice!.userId)!['membership'], 'leave')
  const last = (await h.accounts.audit.list({ limit: 100 })).at(-1)
  t.like(last, { actor: root.userId, action: 'account.deactivate', target: alice!.userId })
  t.is((await h.post(`${path}/deactivate`, {}, root.token)).status, 404)
  await h.close()
})

test('an administrator may let rooms go without anybody in power', async t => {
  const h = await openHarness()
  const root = await h.administrator()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const room = h.rooms.room('!sole:clinic.example', [alice.userId, bob.userId])
  const body = { leave_rooms_without_power: true }
  t.is((await h.post(`${admin}/people/${alice.userId}/deactivate`, body, root.token)).status, 200)
  t.is(h.rooms.member(room, alice.userId)!['membership'], 'leave')
  await h.close()
})

test('another administrator is made a member first; oneself is not the last one', async t => {
  const h = await openHarness()
  const root = await h.administrator('root')
  const second = await h.administrator('second')
  const path = `${admin}/people/${second.userId}`
  t.is((await h.post(`${path}/deactivate`, {}, root.token)).status, 403)
  t.is((await h.put(`${path}/kind`, { kind: 'member' }, root.token)).status, 200)
  t.is((await h.post(`${path}/deactivate`, {}, root.token)).status, 200)
  const own = { auth: confirm('root') }
  t.is((await h.post('/_matrix/client/v3/account/deactivate', own, root.token)).status, 403)
  t.is((await h.get(whoami, root.token)).status, 200)
  await h.close()
})

test('rooms that could not be left before a stop are left after the start', async t => {
  const rooms = new FakeRooms(serverName)
  const h = await openHarness({ rooms })
  const alice = await h.member('alice')
  const one = rooms.room('!one:clinic.example', [alice.userId])
  const two = rooms.room('!two:clinic.example', [alice.userId])
  rooms.failures.push(new StoreError('STORE_CLOSED', 'the server stops now'))
  await h.accounts.deactivation.deactivate('test', alice.userId, { erase: false })
  t.is(rooms.member(one, alice.userId)!['membership'], 'join')
  t.is(rooms.member(two, alice.userId)!['membership'], 'leave')
  await h.close()
  const after = await openHarness({ rooms, engine: h.engine })
  await after.accounts.settled()
  t.is(rooms.member(one, alice.userId)!['membership'], 'leave')
  await after.close()
})

test('account data goes with the account, also where nothing was to be erased', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  await h.accounts.accountData.set(alice.userId, null, 'm.direct', { a: 1 })
  await h.accounts.deactivation.deactivate('test', alice.userId, { erase: false })
  t.deepEqual(await h.accounts.accountData.all(alice.userId), [])
  await h.close()
})
