import test from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import { RoomError } from '../../server/rooms/rooms.ts'
import { StoreError } from '../../server/store/store.ts'
import { FakeRooms } from './fake-rooms.ts'
import { dayMs, openHarness, serverName } from './harness.ts'

const profile = (userId: string, field = '') =>
  `/_matrix/client/v3/profile/${encodeURIComponent(userId)}${field ? `/${field}` : ''}`

test('fields are set, read one by one and together, and removed', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  t.deepEqual((await h.get(profile(alice.userId), alice.token)).body, {})
  t.is((await h.put(profile(alice.userId, 'displayname'), { displayname: 'Alice' }, alice.token)).status, 200)
  t.is((await h.put(profile(alice.userId, 'm.tz'), { 'm.tz': 'Europe/Berlin' }, alice.token)).status, 200)
  const badge = { 'org.example.badge': { colour: 'red', size: 1.5 } }
  t.is((await h.put(profile(alice.userId, 'org.example.badge'), badge, alice.token)).status, 200)
  t.deepEqual((await h.get(profile(alice.userId), alice.token)).body, {
    displayname: 'Alice',
    'm.tz': 'Europe/Berlin',
    ...badge,
  })
  t.deepEqual((await h.get(profile(alice.userId, 'displayname'), alice.token)).body, { displayname: 'Alice' })
  t.is((await h.call('DELETE', profile(alice.userId, 'm.tz'), undefined, alice.token)).status, 200)
  t.is((await h.get(profile(alice.userId, 'm.tz'), alice.token)).body.errcode, 'M_NOT_FOUND')
  await h.close()
})

test('what is wrong with a change is named, and changes nothing', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const key = `org.example.${'x'.repeat(250)}`
  const cases: [string, object, string | undefined, number, string][] = [
    ['displayname', {}, alice.token, 400, 'M_MISSING_PARAM'],
    ['displayname', { displayname: 5 }, alice.token, 400, 'M_BAD_JSON'],
    ['displayname', { displayname: 'x'.repeat(257) }, alice.token, 400, 'M_INVALID_PARAM'],
    ['avatar_url', { avatar_url: 'https://example.org/a.png' }, alice.token, 400, 'M_INVALID_PARAM'],
    ['avatar_url', { avatar_url: null }, alice.token, 400, 'M_BAD_JSON'],
    ['m.tz', { 'm.tz': 5 }, alice.token, 400, 'M_BAD_JSON'],
    ['Nickname', { Nickname: 'x' }, alice.token, 400, 'M_INVALID_PARAM'],
    [key, { [key]: 1 }, alice.token, 400, 'M_KEY_TOO_LARGE'],
    ['org.example.big', { 'org.example.big': 'x'.repeat(66_000) }, alice.token, 400, 'M_PROFILE_TOO_LARGE'],
    ['displayname', { displayname: 'Mallory' }, bob.token, 403, 'M_FORBIDDEN'],
    ['displayname', { displayname: 'Nobody' }, undefined, 401, 'M_MISSING_TOKEN'],
  ]
  for (const [field, body, token, status, errcode] of cases) {
    const answer = await h.put(profile(alice.userId, field), body, token)
    t.is(answer.status, status, field)
    t.is(answer.body.errcode, errcode, field)
  }
  t.deepEqual(await h.accounts.profiles.get(alice.userId), {})
  await h.close()
})

test('a suspended person does not change the profile', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  await h.accounts.people.setSuspended('test', alice.userId, true)
  const answer = await h.put(profile(alice.userId, 'displayname'), { displayname: 'Alice' }, alice.token)
  t.is(answer.status, 403)
  t.is(answer.body.errcode, 'M_USER_SUSPENDED')
  t.is((await h.get(profile(alice.userId), alice.token)).status, 200)
  await h.close()
})

test('a new name reaches every joined room, and keeps what else the membership says', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const one = h.rooms.room('!one:clinic.example', [alice.userId, bob.userId])
  const two = h.rooms.room('!two:clinic.example', [bob.userId, alice.userId])
  const others = h.rooms.room('!others:clinic.example', [bob.userId])
  await h.rooms.send({
    roomId: two,
    sender: alice.userId,
    type: 'm.room.member',
    stateKey: alice.userId,
    content: { membership: 'join', 'org.example.kept': 1, join_authorised_via_users_server: bob.userId },
  })
  await h.put(profile(alice.userId, 'displayname'), { displayname: 'Alice' }, alice.token)
  await h.put(profile(alice.userId, 'avatar_url'), { avatar_url: 'mxc://clinic.example/abc' }, alice.token)
  await h.accounts.settled()
  const shown = { membership: 'join', displayname: 'Alice', avatar_url: 'mxc://clinic.example/abc' }
  t.deepEqual(h.rooms.member(one, alice.userId), shown)
  t.deepEqual(h.rooms.member(two, alice.userId), { ...shown, 'org.example.kept': 1 })
  t.is(h.rooms.member(others, alice.userId), undefined)
  const before = h.rooms.sent.length
  await h.put(profile(alice.userId, 'org.example.badge'), { 'org.example.badge': 1 }, alice.token)
  await h.accounts.settled()
  t.is(h.rooms.sent.length, before, 'other fields are not in membership events')
  await h.close()
})

test('a name that was on its way when the server stopped arrives after the start', async t => {
  const rooms = new FakeRooms(serverName)
  const h = await openHarness({ rooms })
  const alice = await h.member('alice')
  const one = rooms.room('!one:clinic.example', [alice.userId])
  rooms.failures.push(new StoreError('STORE_CLOSED', 'the server stops now'))
  await h.put(profile(alice.userId, 'displayname'), { displayname: 'Alice' }, alice.token)
  await h.accounts.settled()
  t.is(rooms.member(one, alice.userId)!['displayname'], undefined)
  await h.close()
  const after = await openHarness({ rooms, engine: h.engine })
  await after.accounts.settled()
  t.is(rooms.member(one, alice.userId)!['displayname'], 'Alice')
  await after.close()
})

test('a room that refuses keeps no other room from the new name', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  h.rooms.room('!one:clinic.example', [alice.userId])
  const two = h.rooms.room('!two:clinic.example', [alice.userId])
  h.rooms.failures.push(new RoomError('M_FORBIDDEN', 'frozen'))
  await h.put(profile(alice.userId, 'displayname'), { displayname: 'Alice' }, alice.token)
  await h.accounts.settled()
  t.is(h.rooms.member(two, alice.userId)!['displayname'], 'Alice')
  await h.close()
})

test('profiles are for people who are signed in; external people see those in their rooms alone', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const bob = await h.member('bob')
  const guest = await h.member('guest')
  await h.accounts.people.setKind('test', guest.userId, 'external', {
    expiresTs: h.now + dayMs,
    sponsor: alice.userId,
  })
  h.rooms.room('!one:clinic.example', [alice.userId, guest.userId])
  const status = async (wanted: string, token?: string) => (await h.get(profile(wanted), token)).status
  t.is(await status(alice.userId), 403, 'the specification asks for no token, and lets a server keep silent')
  t.is(await status(alice.userId, bob.token), 200)
  t.is(await status('@nobody:clinic.example', bob.token), 404)
  t.is(await status('nobody', bob.token), 400)
  t.is(await status(alice.userId, guest.token), 200)
  t.is(await status(guest.userId, alice.token), 200)
  t.is(await status(bob.userId, guest.token), 403)
  t.is(await status('@nobody:clinic.example', guest.token), 403, 'the same as for somebody who exists')
  t.is(await status(guest.userId, bob.token), 403)
  h.advance(2 * dayMs)
  await h.accounts.people.expireDue()
  t.is(await status(guest.userId, bob.token), 403, 'whose time is over is still nobody else’s business')
  await h.close()
})

test('an external person whose end is moved while the end is being carried out keeps the new end', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const guest = await h.member('guest')
  const external = { expiresTs: h.now + dayMs, sponsor: alice.userId }
  await h.accounts.people.setKind('test', guest.userId, 'external', external)
  h.advance(2 * dayMs)
  await Promise.all([
    h.accounts.people.setExpiry('test', guest.userId, h.now + dayMs),
    h.accounts.people.expireDue(),
  ])
  t.not((await h.accounts.people.get(guest.userId))!.expired, true)
  h.advance(2 * dayMs)
  await h.accounts.people.expireDue()
  t.true((await h.accounts.people.get(guest.userId))!.expired)
  await h.close()
})

test('people of other servers are called what our rooms call them', async t => {
  const h = await openHarness()
  const alice = await h.member('alice')
  const remote = '@zoe:court.example' as UserId
  const room = h.rooms.room('!one:clinic.example', [alice.userId, remote])
  await h.rooms.send({
    roomId: room,
    sender: remote,
    type: 'm.room.member',
    stateKey: remote,
    content: { membership: 'join', displayname: 'Zoe' },
  })
  t.deepEqual((await h.get(profile(remote), alice.token)).body, { displayname: 'Zoe' })
  t.is((await h.get(profile('@other:court.example'), alice.token)).status, 404)
  await h.close()
})

test('where anybody may register, the directory finds who shares a room or stands in an open one, and no external person', async t => {
  const h = await openHarness({ registration: 'open' })
  const search = async (token: string, term: string, more: object = {}) => {
    const answer = await h.post(
      '/_matrix/client/v3/user_directory/search',
      { search_term: term, ...more },
      token,
    )
    return answer.body.results.map((found: { user_id: string }) => found.user_id.slice(1).split(':')[0])
  }
  const [alice, bob, carol, dave, guest] = await Promise.all(
    ['alice', 'bob', 'carol', 'dave', 'guest'].map(name => h.member(name)),
  )
  await h.accounts.people.setKind('test', guest!.userId, 'external', {
    expiresTs: h.now + dayMs,
    sponsor: alice!.userId,
  })
  await h.put(profile(bob!.userId, 'displayname'), { displayname: 'Robert Müller' }, bob!.token)
  h.rooms.room('!team:clinic.example', [alice!.userId, bob!.userId, guest!.userId])
  const lobby = h.rooms.room('!lobby:clinic.example', [carol!.userId], { joinRule: 'public' })
  h.rooms.room('!board:clinic.example', [dave!.userId])

  t.deepEqual(await search(alice!.token, 'bob'), ['bob'])
  t.deepEqual(await search(alice!.token, 'müller'), ['bob'])
  t.deepEqual(await search(alice!.token, 'MÜLLER robert'), ['bob'])
  t.deepEqual(await search(alice!.token, 'carol'), ['carol'], 'in a room that anybody may join')
  t.deepEqual(await search(alice!.token, 'dave'), [], 'in a closed room of others')
  t.deepEqual(await search(alice!.token, 'guest'), [])
  t.deepEqual(await search(alice!.token, 'alice'), [], 'not oneself')
  t.deepEqual(await search(alice!.token, '   '), [])
  t.deepEqual(await search(guest!.token, 'bob'), ['bob'])
  t.deepEqual(await search(guest!.token, 'carol'), [], 'external people find those in their rooms alone')

  // The lobby closes: who is only in there is not found any more.
  await h.rooms.send({
    roomId: lobby,
    sender: carol!.userId,
    type: 'm.room.join_rules',
    stateKey: '',
    content: { join_rule: 'invite' },
  })
  t.deepEqual(await search(alice!.token, 'carol'), [])

  const limited = await h.post(
    '/_matrix/client/v3/user_directory/search',
    { search_term: 'clinic', limit: 0 },
    alice!.token,
  )
  t.deepEqual(limited.body, { results: [], limited: true })
  const wrong = await h.post('/_matrix/client/v3/user_directory/search', {}, alice!.token)
  t.is(wrong.body.errcode, 'M_MISSING_PARAM')
  await h.close()
})

test('people of one organisation find each other, whatever rooms they are in; services and external people are not found', async t => {
  const h = await openHarness({ registration: 'invite' })
  const [alice, bob, guest] = await Promise.all(['alice', 'bob', 'guest'].map(name => h.member(name)))
  await h.accounts.people.setKind('test', guest!.userId, 'external', {
    expiresTs: h.now + dayMs,
    sponsor: alice!.userId,
  })
  const search = async (token: string, term: string) =>
    (await h.post('/_matrix/client/v3/user_directory/search', { search_term: term }, token)).body.results
      .length
  t.is(await search(alice!.token, 'bob'), 1)
  t.is(await search(alice!.token, 'guest'), 0)
  t.is(await search(guest!.token, 'bob'), 0)
  t.truthy(bob)
  await h.close()
})
