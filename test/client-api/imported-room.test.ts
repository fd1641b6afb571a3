/** A room of another server, as people here read it: its state, and its history on demand. */
import test, { type ExecutionContext } from 'ava'
import type { ServerName } from '../../server/protocol/ids.ts'
import { openRoom, person, say } from '../rooms/federated-room.ts'
import { World } from '../rooms/two-servers.ts'
import { inRoom, serverName, startRoomServer, v3 } from './room-server.ts'

const there = 'there.test' as ServerName

/** Ann says so many things there, a day after each other; then Bob comes in from here. */
async function joined(t: ExecutionContext, count: number) {
  const world = new World()
  const far = await world.add(there, { checkSignatures: async () => true })
  far.pins.set(serverName, { mode: 'both' })
  const peers = { all: () => [], get: () => undefined, mayReceiveFrom: () => true, maySendTo: () => true }
  const here = await startRoomServer(undefined, world.remoteOf(serverName), peers)
  t.teardown(() => here.close())
  const roomId = await openRoom(far)
  const said = []
  for (let i = 0; i < count; i++) said.push(await far.rooms.send({ roomId, ...say(far, 'ann', `${i}`) }))
  await here.ok('bob', 'POST', `${v3}/join/${encodeURIComponent(roomId)}?via=${there}`)
  world.requests.length = 0
  return { world, far, here, roomId, said, ann: person('ann', far) }
}

test('an event of the state that the room came with is found by its id', async t => {
  const { here, roomId, ann } = await joined(t, 3)
  const state = await here.ok('bob', 'GET', inRoom(roomId, '/state'))
  const name = state.find(({ type }: { type: string }) => type === 'm.room.name')
  const path = inRoom(roomId, `/event/${encodeURIComponent(name.event_id)}`)
  const event = await here.ok('bob', 'GET', path)
  t.like(event, { type: 'm.room.name', sender: ann, content: { name: 'the room' }, event_id: name.event_id })
  t.like(await here.call('carl', 'GET', path), { status: 404, body: { errcode: 'M_NOT_FOUND' } })
})
