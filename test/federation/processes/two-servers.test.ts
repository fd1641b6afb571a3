/** Two real servers, pinned to each other: what people on one see of the other by asking. */
import test from 'ava'
import { call } from '../../support/client.ts'
import { type FederatedServer, pinSite, startFederated } from '../../support/federated.ts'

const password = 'correct horse battery staple'
const v3 = '/_matrix/client/v3'
const servers = await Promise.all([startFederated('one.test'), startFederated('two.test')])
const [one, two] = servers as [FederatedServer, FederatedServer]
await pinSite(one, two)
await pinSite(two, one)
test.after.always(() => Promise.all(servers.map(server => server.process.remove())))

async function person(server: FederatedServer, name: string) {
  const { token, userId } = await server.process.register(name, password)
  const ask = (method: string, path: string, body?: unknown) =>
    call(server.process.base, method, path, { token, ...(body === undefined ? {} : { body }) })
  const ok = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(method, path, body)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return { userId, ask, ok }
}

const seg = encodeURIComponent

test.serial('a profile, an alias, the room directory and a room’s summary of the other server', async t => {
  const [ann, zoe] = [await person(one, 'ann'), await person(two, 'zoe')]
  await zoe.ok('PUT', `${v3}/profile/${seg(zoe.userId)}/displayname`, { displayname: 'Zoë' })
  t.is((await ann.ok('GET', `${v3}/profile/${seg(zoe.userId)}`)).displayname, 'Zoë')
  t.is((await ann.ask('GET', `${v3}/profile/${seg(`@nobody:${two.serverName}`)}`)).status, 404)

  const { room_id: roomId } = await zoe.ok('POST', `${v3}/createRoom`, {
    preset: 'public_chat',
    visibility: 'public',
    room_alias_name: 'hall',
    name: 'Hall',
  })
  const alias = `#hall:${two.serverName}`
  t.deepEqual(await ann.ok('GET', `${v3}/directory/room/${seg(alias)}`), {
    room_id: roomId,
    servers: [two.serverName],
  })
  const listed = await ann.ok('GET', `${v3}/publicRooms?server=${seg(two.serverName)}`)
  t.is(listed.chunk[0].name, 'Hall')
  t.like(await ann.ok('GET', `/_matrix/client/v1/room_summary/${seg(alias)}`), {
    room_id: roomId,
    name: 'Hall',
    join_rule: 'public',
  })
  const byId = `/_matrix/client/v1/room_summary/${seg(roomId)}`
  t.is((await ann.ask('GET', byId)).status, 404)
  t.is((await ann.ok('GET', `${byId}?via=${seg(two.serverName)}`)).name, 'Hall')
})

test.serial('a server that is pinned by nobody cannot be asked', async t => {
  const ann = await person(one, 'ann2')
  const stranger = await ann.ask('GET', `${v3}/publicRooms?server=stranger.test`)
  t.like(stranger, { status: 403, body: { errcode: 'M_FORBIDDEN' } })
  t.is((await ann.ask('GET', `${v3}/directory/room/${seg('#x:stranger.test')}`)).status, 403)
  t.is((await ann.ask('GET', '/_matrix/client/v1/media/download/stranger.test/abc')).status, 404)
})

test.serial(
  'a picture of the other server is seen by who shares a room with its uploader, and stays when the other goes',
  async t => {
    const [ann, zoe] = [await person(one, 'ann3'), await person(two, 'zoe3')]
    const yan = await person(two, 'yan3')
    const upload = async (who: typeof zoe) => {
      const uploaded = await who.ok('POST', '/_matrix/media/v3/upload?filename=x.txt', 'hello')
      return `/_matrix/client/v1/media/download/${uploaded.content_uri.slice('mxc://'.length)}`
    }
    const [path, strange] = [await upload(zoe), await upload(yan)]
    const { room_id: roomId } = await zoe.ok('POST', `${v3}/createRoom`, { preset: 'public_chat' })
    await ann.ok('POST', `${v3}/join/${seg(roomId)}?via=${seg(two.serverName)}`, {})
    t.is(await ann.ok('GET', path), 'hello')
    t.is((await ann.ask('GET', strange)).status, 404)
    await one.admin('PUT', `/peers/${seg(two.serverName)}/suspended`, { suspended: true })
    t.is(await ann.ok('GET', path), 'hello')
    t.is((await ann.ask('GET', strange)).status, 404)
    await one.admin('PUT', `/peers/${seg(two.serverName)}/suspended`, { suspended: false })
  },
)
