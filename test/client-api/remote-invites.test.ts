/** People of other servers are invited by asking their server, on whatever way a client takes. */
import test from 'ava'
import type { ServerName } from '../../server/protocol/ids.ts'
import { introduction } from '../../server/rooms/people.ts'
import { noRemoteRooms, RemoteError, type RemoteRooms } from '../../server/rooms/remote-rooms.ts'
import { inRoom, startRoomServer, v3 } from './room-server.ts'

/** Who was asked for whom; what is said of people named `no…` and by servers named `away…`. */
const asked: string[] = []
const remote: RemoteRooms = {
  ...noRemoteRooms,
  async invite(server, { event }) {
    asked.push(`${server} ${event['state_key']}`)
    if (server.startsWith('away')) throw new RemoteError('unreachable', `${server} cannot be reached.`)
    if (String(event['state_key']).startsWith('@no')) {
      throw new RemoteError('refused', 'takes no invites', { status: 403, errcode: 'M_INVITE_BLOCKED' })
    }
    return event
  },
}
const peers = {
  all: () =>
    [{ serverName: 'there.test' as ServerName }, { serverName: 'away.test' as ServerName }] as never[],
  get: () => undefined,
  mayReceiveFrom: (_server: string) => true,
  maySendTo: (server: string) => server === 'there.test' || server === 'away.test',
}
const server = await startRoomServer(undefined, remote, peers as never)
test.after.always(() => server.close())
test.beforeEach(() => void asked.splice(0))

const member = async (roomId: string, userId: string) =>
  (await server.call('alice', 'GET', inRoom(roomId, `/state/m.room.member/${encodeURIComponent(userId)}`)))
    .body
const membership = async (roomId: string, userId: string) => (await member(roomId, userId)).membership
const put = (roomId: string, userId: string, content: object) =>
  server.call('alice', 'PUT', inRoom(roomId, `/state/m.room.member/${encodeURIComponent(userId)}`), content)

test.serial('an invite by a state event asks the other server first, and what it says counts', async t => {
  const roomId = await server.createRoom('alice')
  const answer = await put(roomId, '@zoe:there.test', { membership: 'invite', reason: 'come' })
  t.is(answer.status, 200)
  t.regex(answer.body.event_id, /^\$/)
  t.deepEqual(asked, ['there.test @zoe:there.test'])
  t.is(await membership(roomId, '@zoe:there.test'), 'invite')

  t.like(await put(roomId, '@nora:there.test', { membership: 'invite' }), {
    status: 403,
    body: { errcode: 'M_INVITE_BLOCKED' },
  })
  t.is(await membership(roomId, '@nora:there.test'), undefined)
  t.like(await put(roomId, '@zoe:stranger.test', { membership: 'invite' }), {
    status: 403,
    body: { errcode: 'M_FORBIDDEN' },
  })
  t.is(asked.length, 2)
  // Everything but an invite is ours alone to write.
  t.is((await put(roomId, '@zoe:there.test', { membership: 'ban' })).status, 200)
  t.is(await membership(roomId, '@zoe:there.test'), 'ban')
  t.is(asked.length, 2)
})

test.serial(
  'who is invited has the name that their server tells, on each of the ways, before they accept',
  async t => {
    const zoe = '@zoe:there.test'
    const named = { membership: 'invite', displayname: 'ZOE' }
    const { body } = await server.call('alice', 'POST', `${v3}/createRoom`, { invite: [zoe] })
    t.like(await member(body.room_id, zoe), named)
    const byInvite = await server.createRoom('alice')
    await server.ok('alice', 'POST', inRoom(byInvite, '/invite'), { user_id: zoe })
    t.like(await member(byInvite, zoe), named)
    const byState = await server.createRoom('alice')
    await put(byState, zoe, { membership: 'invite', 'org.letro.word': 'stays' })
    t.like(await member(byState, zoe), { ...named, 'org.letro.word': 'stays' })
    await put(byState, '@ben:hq.test', { membership: 'invite' })
    t.like(await member(byState, '@ben:hq.test'), { membership: 'invite', displayname: 'ben' })
  },
)

test('of what a peer tells of a person, an invite takes a name and a picture, and neither where it is too long', t => {
  const told = { displayname: 'Zoe', avatar_url: 'mxc://there.test/a', 'm.tz': 'x' }
  t.deepEqual(introduction(told), { displayname: 'Zoe', avatar_url: 'mxc://there.test/a' })
  t.deepEqual(introduction({ displayname: 'Z'.repeat(5_000), avatar_url: 'https://there.test/a' }), {})
  t.deepEqual(introduction({}), {})
})

test.serial('whoever could not be invited to a new room is named with the reason', async t => {
  const { body } = await server.call('alice', 'POST', `${v3}/createRoom`, {
    invite: ['@nora:there.test', '@zoe:there.test', '@eva:away.test', '@fay:away.test'],
  })
  t.deepEqual(body['org.letro.refused_invites'], [
    {
      user_id: '@nora:there.test',
      errcode: 'M_INVITE_BLOCKED',
      error: 'there.test says: takes no invites',
    },
    {
      user_id: '@eva:away.test',
      errcode: 'M_UNKNOWN',
      error: 'away.test could not be reached. Try again later.',
    },
    {
      user_id: '@fay:away.test',
      errcode: 'M_UNKNOWN',
      error: 'away.test could not be reached. Try again later.',
    },
  ])
  t.is(await membership(body.room_id, '@zoe:there.test'), 'invite')
  t.is(await membership(body.room_id, '@nora:there.test'), undefined)
  t.is(asked.filter(each => each.startsWith('away.test')).length, 1)
  const quiet = await server.call('alice', 'POST', `${v3}/createRoom`, { invite: ['@zoe:there.test'] })
  t.deepEqual(Object.keys(quiet.body), ['room_id'])
})
