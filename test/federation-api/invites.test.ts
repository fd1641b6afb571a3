/** Invites of a peer over HTTP, faster than any person could read them. */
import test from 'ava'
import { membershipRoutes } from '../../server/federation-api/membership.ts'
import { takeTurns } from '../../server/federation-api/peer-turns.ts'
import { person } from '../rooms/federated-room.ts'
import { forgedInvite } from '../rooms/forged-event.ts'
import { type Site, World } from '../rooms/two-servers.ts'
import { startHttp } from '../support/http.ts'
import { authenticate } from './asking-peer.ts'

test('2,000 invites of one peer in a moment: it is slowed down, others are not', async t => {
  const world = new World()
  const us = await world.add('us.test')
  const flooding = await world.add('aa.test')
  const honest = await world.add('bbb.test')
  let now = 1_800_000_000_000
  const rate = { peerMembership: { perSecond: 1, burst: 50 } }
  const http = await startHttp(
    membershipRoutes({ authenticate, takeTurn: takeTurns(), serverName: us.name, rooms: us.rooms }),
    rate,
    () => now,
  )
  t.teardown(() => http.close())
  const invite = async (from: Site, number: number) => {
    const { pdu, eventId } = forgedInvite(world, from, number, person(`p${number}`, us))
    const path = `/_matrix/federation/v2/invite/${encodeURIComponent(pdu.room_id!)}/${encodeURIComponent(eventId)}`
    return http.call('PUT', path, {
      body: { event: pdu, room_version: '11', invite_room_state: [] },
      headers: { 'x-test-origin': from.name },
    })
  }
  const statuses = new Map<number, number>()
  for (let i = 0; i < 20; i++) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => invite(flooding, n)))
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  t.deepEqual([...statuses].sort(), [
    [200, 50],
    [429, 1_950],
  ])
  const refused = await invite(flooding, 1)
  t.is(refused.body.errcode, 'M_LIMIT_EXCEEDED')
  t.is(refused.body.retry_after_ms, 1_000)
  t.is((await invite(honest, 2)).status, 200)
  // Knocks and joins count with them: nothing of them is looked at.
  for (const path of ['v1/send_knock', 'v1/send_join', 'v2/send_join']) {
    const put = { body: {}, headers: { 'x-test-origin': flooding.name } }
    t.is((await http.call('PUT', `/_matrix/federation/${path}/!room/$event`, put)).status, 429, path)
  }
  now += 1_000
  t.is((await invite(flooding, 20_000)).status, 200)
})
