/** How it stands with other organisations, as people who share a room with theirs are told, and nobody else. */
import test, { type ExecutionContext } from 'ava'
import { TestAuthority } from '../support/certificates.ts'
import { type FederatedServer, pinHomeserver, startFederated } from '../support/federated.ts'
import { FederationPeer } from '../support/federation-peer.ts'
import { PeerRoom } from '../support/peer-room.ts'
import { eventually, type Person, person } from '../support/person.ts'

const authority = new TestAuthority()

async function started(t: ExecutionContext) {
  const server = await startFederated('a.test')
  t.teardown(() => server.process.remove())
  const peer = await FederationPeer.start('b.test', authority)
  let isClosed = false
  const close = async () => {
    if (!isClosed) await peer.close()
    isClosed = true
  }
  t.teardown(close)
  await pinHomeserver(server, peer, authority)
  const ann = await person(server, 'ann')
  const { room_id: roomId } = await ann.ask('POST', '/createRoom', { preset: 'public_chat' })
  await PeerRoom.join(peer, server, roomId, `@bob:${peer.serverName}`)
  return { server, peer, close, ann, roomId: roomId as string }
}

async function told({ server }: { server: FederatedServer }, { session: { token } }: Person) {
  const answer = await fetch(`${server.process.base}/_letro/client/v1/organisations`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return ((await answer.json()) as { organisations: Record<string, { state: string; since?: number }> })
    .organisations
}

test('a suspended organisation, and one that was taken away, are named to those who share a room with its people', async t => {
  const world = await started(t)
  const { server, peer, ann } = world
  const zoe = await person(server, 'zoe')
  const path = `/peers/${encodeURIComponent(peer.serverName)}`
  t.deepEqual(await told(world, ann), {})
  await server.admin('PUT', `${path}/suspended`, { suspended: true })
  t.deepEqual(await told(world, ann), { [peer.serverName]: { state: 'suspended' } })
  t.deepEqual(await told(world, zoe), {})
  await server.admin('PUT', `${path}/suspended`, { suspended: false })
  t.deepEqual(await told(world, ann), {})
  await server.admin('DELETE', path)
  t.deepEqual(await told(world, ann), { [peer.serverName]: { state: 'closed' } })
})

test('an organisation that is not within reach is named with since when something waits for it', async t => {
  const world = await started(t)
  await world.close()
  await world.ann.say(world.roomId, 'is anybody there?')
  await eventually(async () => world.peer.serverName in (await told(world, world.ann)))
  const { state, since } = (await told(world, world.ann))[world.peer.serverName]!
  t.is(state, 'away')
  t.is(typeof since, 'number')
})
