/** Accounts over real rooms: what the doubles of the other tests stand for. */
import test from 'ava'
import { startTestServer, type TestPerson, testPassword } from '../support/server.ts'
import { until } from '../support/until.ts'

const v3 = '/_matrix/client/v3'

async function createRoom(owner: TestPerson, guest: TestPerson, body: object = {}): Promise<string> {
  const created = await owner.call('POST', `${v3}/createRoom`, { body: { invite: [guest.userId], ...body } })
  const roomId = created.body.room_id
  await guest.call('POST', `${v3}/join/${encodeURIComponent(roomId)}`, { body: {} })
  return roomId
}

const member = async (viewer: TestPerson, roomId: string, userId: string) =>
  (await viewer.call('GET', `${v3}/rooms/${roomId}/state/m.room.member/${userId}`)).body

test('a new name arrives in the rooms, and the directory knows it', async t => {
  const server = await startTestServer()
  const alice = await server.register('alice')
  const bob = await server.register('bob')
  const carol = await server.register('carol')
  const roomId = await createRoom(alice, bob)
  await alice.call('PUT', `${v3}/profile/${alice.userId}/displayname`, {
    body: { displayname: 'Alice Weber' },
  })
  await until(async () => (await member(bob, roomId, alice.userId)).displayname === 'Alice Weber')
  const search = async (who: TestPerson) =>
    (await who.call('POST', `${v3}/user_directory/search`, { body: { search_term: 'weber' } })).body.results
  t.deepEqual(await search(bob), [{ user_id: alice.userId, display_name: 'Alice Weber' }])
  t.deepEqual(await search(carol), [])
  const lobby = await alice.call('POST', `${v3}/createRoom`, { body: { preset: 'public_chat' } })
  t.is(lobby.status, 200)
  t.is((await search(carol)).length, 1)
  await server.close()
})

for (const version of ['11', '12']) {
  test(`who leaves hands a version ${version} room to the successor, and can write nothing any more`, async t => {
    const server = await startTestServer()
    const alice = await server.register('alice')
    const bob = await server.register('bob')
    const roomId = await createRoom(alice, bob, { room_version: version, name: 'Board' })
    const sole = await alice.call('GET', '/_letro/client/v1/account/sole_rooms')
    t.deepEqual(sole.body, { rooms: [{ room_id: roomId, name: 'Board', members: 2 }] })
    const done = await alice.call('POST', `${v3}/account/deactivate`, {
      body: {
        'org.letro.successor': bob.userId,
        auth: {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: 'alice' },
          password: testPassword,
        },
      },
    })
    t.is(done.status, 200, JSON.stringify(done.body))
    t.is((await member(bob, roomId, alice.userId)).membership, 'leave')
    const renamed = await bob.call('PUT', `${v3}/rooms/${roomId}/state/m.room.name`, {
      body: { name: 'New board' },
    })
    t.is(renamed.status, 200, 'the successor runs the room')
    const gone = await alice.call('PUT', `${v3}/rooms/${roomId}/send/m.room.message/1`, { body: {} })
    t.is(gone.status, 401)
    await server.close()
  })
}

test('account data comes with the next sync, once, and is there again at the first', async t => {
  const server = await startTestServer()
  const alice = await server.register('alice')
  const bob = await server.register('bob')
  const roomId = await createRoom(alice, bob)
  const sync = async (since?: string) =>
    (await alice.call('GET', `${v3}/sync${since === undefined ? '' : `?since=${since}`}`)).body
  const first = await sync()
  const base = `${v3}/user/${encodeURIComponent(alice.userId)}`
  await alice.call('PUT', `${base}/account_data/org.example.theme`, { body: { dark: true } })
  await alice.call('PUT', `${base}/rooms/${encodeURIComponent(roomId)}/tags/m.favourite`, {
    body: { order: 0.5 },
  })
  const second = await sync(first.next_batch)
  const theme = { type: 'org.example.theme', content: { dark: true } }
  const tag = { type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.5 } } } }
  t.deepEqual(second.account_data.events, [theme])
  t.deepEqual(second.rooms.join[roomId].account_data.events, [tag])
  const third = await sync(second.next_batch)
  t.deepEqual(third.account_data?.events ?? [], [])
  const initial = await sync()
  t.true(initial.account_data.events.some((event: { type: string }) => event.type === theme.type))
  t.deepEqual(initial.rooms.join[roomId].account_data.events, [tag])
  await server.close()
})
