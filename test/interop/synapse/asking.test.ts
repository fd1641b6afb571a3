/** What the people on a real Synapse and ours see of each other by asking: profiles, aliases, directories, spaces, media. */
import { randomBytes } from 'node:crypto'
import anyTest, { type TestFn } from 'ava'
import { type Person, until } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn

let world: World
let ours: Person
let theirs: Person
let sharedRoom: string

const serverOf = (userId: string) => userId.slice(userId.indexOf(':') + 1)
const seg = encodeURIComponent

test.before(async () => {
  world = await World.open()
  ours = await world.atLetro('amal')
  theirs = await world.atSynapse('jonas')
  sharedRoom = await ours.createRoom({ preset: 'private_chat', room_version: '11' })
  await ours.invite(sharedRoom, theirs.userId)
  await theirs.isInvited(sharedRoom)
  await theirs.join(sharedRoom)
  await ours.isMember(sharedRoom, theirs.userId, 'join')
})
test.after.always(() => world?.close())
test.afterEach.always(t => {
  if (!t.passed) t.log(world.words)
})

async function upload(who: Person, bytes: Buffer): Promise<string> {
  const response = await fetch(`${who.base}/_matrix/media/v3/upload?filename=${seg('Grüße.bin')}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${who.session.token}`, 'content-type': 'image/png' },
    body: new Uint8Array(bytes),
  })
  return ((await response.json()) as { content_uri: string }).content_uri.slice('mxc://'.length)
}

async function download(
  who: Person,
  mxc: string,
): Promise<{ status: number; type: string | null; bytes: Buffer }> {
  const response = await fetch(`${who.base}/_matrix/client/v1/media/download/${mxc}`, {
    headers: { authorization: `Bearer ${who.session.token}` },
  })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    bytes: Buffer.from(await response.arrayBuffer()),
  }
}

const ways = () =>
  [
    ['ours of theirs', ours, theirs],
    ['theirs of ours', theirs, ours],
  ] as const

test.serial('media, both ways, byte for byte', async t => {
  for (const [way, asks, has] of ways()) {
    const bytes = randomBytes(300_000)
    const got = await download(asks, await upload(has, bytes))
    t.is(got.status, 200, way)
    t.is(got.type, 'image/png', way)
    t.deepEqual(got.bytes, bytes, way)
    t.is((await download(asks, `${serverOf(has.userId)}/${'A'.repeat(24)}`)).status, 404, way)
  }
})

test.serial('profiles, both ways', async t => {
  for (const [way, asks, has] of ways()) {
    const displayname = `Name ${way}`
    await has.api('PUT', `/v3/profile/${seg(has.userId)}/displayname`, { displayname })
    await until('the profile', async () => {
      const profile = await asks.ask('GET', `/v3/profile/${seg(has.userId)}`)
      return profile.body.displayname === displayname ? true : undefined
    })
    t.pass()
  }
})

test.serial('aliases and room directories, both ways', async t => {
  for (const [way, asks, has] of ways()) {
    const server = serverOf(has.userId)
    const roomId = await has.createRoom({
      preset: 'public_chat',
      visibility: 'public',
      room_alias_name: 'hall',
      name: `Hall ${way}`,
      room_version: '11',
    })
    const found = await asks.api('GET', `/v3/directory/room/${seg(`#hall:${server}`)}`)
    t.is(found.room_id, roomId, way)
    t.true(found.servers.includes(server), way)
    // Synapse counts members of a new room some seconds later, and lists it then.
    await until('the room in the list', async () => {
      const { chunk } = await asks.api('GET', `/v3/publicRooms?server=${seg(server)}`)
      return chunk.some((room: { room_id: string }) => room.room_id === roomId) ? true : undefined
    })
    const searched = await asks.api('POST', `/v3/publicRooms?server=${seg(server)}`, {
      filter: { generic_search_term: way },
    })
    t.is(searched.chunk.length, 1, way)
  }
})

test.serial('a space whose rooms are on the other side, both ways', async t => {
  for (const [way, asks, has] of ways()) {
    const server = serverOf(has.userId)
    const leaf = await has.createRoom({ preset: 'public_chat', name: 'leaf', room_version: '11' })
    const sub = await has.createRoom({
      preset: 'public_chat',
      name: 'sub',
      room_version: '11',
      creation_content: { type: 'm.space' },
    })
    await has.setState(sub, 'm.space.child', { via: [server] }, leaf)
    const root = await asks.createRoom({
      name: 'root',
      creation_content: { type: 'm.space' },
      room_version: '11',
    })
    await asks.setState(root, 'm.space.child', { via: [server] }, sub)
    const { rooms } = await asks.api('GET', `/v1/rooms/${seg(root)}/hierarchy`)
    t.deepEqual(
      rooms.map((room: { name: string }) => room.name),
      ['root', 'sub', 'leaf'],
      way,
    )
  }
})
