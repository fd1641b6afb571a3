/** What administrators see of rooms, what they do not, and how a room without power gets it back, on a whole server. */
import test from 'ava'
import { adminToken, startAdministered } from '../support/administered.ts'

const admin = '/_letro/admin/v1'
const client = '/_matrix/client/v3'
const inPath = encodeURIComponent

async function clinic(t: Parameters<typeof startAdministered>[0]) {
  const server = await startAdministered(t)
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const asked = (method: string, path: string, body?: object) =>
    server.call(method, `${admin}${path}`, { token: adminToken, ...(body && { body }) })
  const room = async (body: object) =>
    (await alice.call('POST', `${client}/createRoom`, { body })).body.room_id as string
  const joined = async (body: object) => {
    const roomId = await room({ invite: [bob.userId], ...body })
    await bob.call('POST', `${client}/join/${inPath(roomId)}`, { body: {} })
    return roomId
  }
  return { server, alice, bob, asked, room, joined }
}

test('rooms are listed with who has power and from where people are; conversations are counted', async t => {
  const { alice, bob, asked, room, joined } = await clinic(t)
  const ward = await joined({ name: 'Ward 3', topic: 'who is ill' })
  const space = await room({ name: 'Clinic', creation_content: { type: 'm.space' } })
  const direct = await joined({ is_direct: true })
  const { body } = await asked('GET', '/rooms')
  t.is(body.conversations, 1)
  t.deepEqual(
    body.rooms.map((each: { room_id: string }) => each.room_id),
    [space, ward],
  )
  t.deepEqual(body.rooms[1], {
    room_id: ward,
    name: 'Ward 3',
    space: false,
    encrypted: false,
    version: '12',
    joined: 2,
    invited: 0,
    servers: [{ server: 'localhost', joined: 2 }],
    powerful: [{ user_id: alice.userId, level: null }],
    power: 'here',
  })
  const text = JSON.stringify((await asked('GET', `/rooms/${inPath(ward)}`)).body)
  t.false(text.includes('who is ill') || text.includes(bob.userId), 'neither topics nor members')
  t.is((await asked('GET', `/rooms/${inPath(direct)}`)).status, 404)
  t.is((await asked('GET', '/rooms/!nothing')).status, 404)
  t.is((await alice.call('GET', `${admin}/rooms`)).status, 403)
  t.deepEqual((await asked('GET', '/rooms?search=WARD')).body.rooms.length, 1)
  t.deepEqual((await asked('GET', '/rooms?power=nobody')).body.rooms, [])
  t.deepEqual((await asked('GET', '/rooms?state=frozen')).body.rooms, [])
  const page = (await asked('GET', '/rooms?limit=1')).body
  t.is(page.next_batch, space)
  t.is((await asked('GET', `/rooms?limit=1&from=${inPath(space)}`)).body.rooms[0].room_id, ward)
})

// A version 12 creator has more than any number and passes on what the room asks for at most: its tombstone.
for (const [version, level] of [
  ['11', 100],
  ['12', 150],
] as const) {
  test(`a room whose only power was deactivated gets it back, version ${version}`, async t => {
    const { alice, bob, asked, joined } = await clinic(t)
    const ward = await joined({ name: 'Ward 3', room_version: version })
    const path = `/rooms/${inPath(ward)}`
    const early = await asked('POST', `${path}/power`, { user_id: bob.userId })
    t.is(early.body['org.letro.reason'], 'CHANGED', 'somebody has power')
    const gone = { leave_rooms_without_power: true }
    t.is((await asked('POST', `/people/${inPath(alice.userId)}/deactivate`, gone)).status, 200)
    const orphan = (await asked('GET', path)).body
    t.is(orphan.power, 'nobody')
    t.deepEqual(orphan.way_back, { through: alice.userId, ask: [] })
    t.is((await asked('GET', '/rooms?power=nobody')).body.rooms.length, 1)
    t.is((await asked('POST', `${path}/power`, { user_id: '@carol:localhost' })).status, 400)

    const done = await asked('POST', `${path}/power`, { user_id: bob.userId })
    t.is(done.status, 200, JSON.stringify(done.body))
    t.deepEqual(done.body.powerful, [{ user_id: bob.userId, level }])
    const members = await bob.call('GET', `${client}/rooms/${inPath(ward)}/members`)
    const back = members.body.chunk.find((each: { state_key: string }) => each.state_key === alice.userId)
    t.is(back.content.membership, 'leave', 'and the account that was deactivated has left again')
    const { entries } = (await asked('GET', '/audit')).body
    t.like(entries.at(-1), { action: 'room.give-power', target: bob.userId, actor: 'token' })
    const named = await bob.call('PUT', `${client}/rooms/${inPath(ward)}/state/m.room.name/`, {
      body: { name: 'Ward 4' },
    })
    t.is(named.status, 200, 'power is worth something')
  })
}

test('where an active person has the power and left, they are named, and nobody acts for them', async t => {
  const { alice, bob, asked, joined } = await clinic(t)
  const ward = await joined({ name: 'Ward 3' })
  await alice.call('POST', `${client}/rooms/${inPath(ward)}/leave`, { body: {} })
  const path = `/rooms/${inPath(ward)}`
  t.deepEqual((await asked('GET', path)).body.way_back, { through: null, ask: [alice.userId] })
  const refused = await asked('POST', `${path}/power`, { user_id: bob.userId })
  t.is(refused.body['org.letro.reason'], 'NO_WAY_BACK')
  t.is((await asked('GET', path)).body.power, 'nobody')
})
