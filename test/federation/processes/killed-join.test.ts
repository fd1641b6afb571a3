/** `kill -9` in the middle of a join: the room is here whole or not at all, and the same join brings it afterwards. */
import test from 'ava'
import { TestAuthority } from '../../support/certificates.ts'
import { pinHomeserver, startFederated } from '../../support/federated.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { PeerRoom } from '../../support/peer-room.ts'
import { type Person, person } from '../../support/person.ts'
import { sleep } from '../../support/server-process.ts'

const authority = new TestAuthority()
const settings = 600

/** A public room with this many settings; resolves `asked` when somebody's join has come. */
function bigRoom(peer: FederationPeer) {
  const creator = `@zoe:${peer.serverName}`
  const room = PeerRoom.create(peer, creator)
  for (let i = 0; i < settings; i++) {
    room.add({ type: 'org.example.setting', sender: creator, stateKey: `${i}`, content: { i } })
  }
  room.serve()
  const asked = new Promise<void>(resolve => {
    peer.on('PUT', `/_matrix/federation/v2/send_join/${room.roomId}/:eventId`, () => {
      resolve()
      return null
    })
  })
  return { room, asked }
}

const join = (who: Person, room: PeerRoom, via: string) =>
  who.call('POST', `/join/${encodeURIComponent(room.roomId)}?via=${via}`, {})

/** How many settings they see; null: they are not in the room. */
async function seen(who: Person, room: PeerRoom): Promise<number | null> {
  const isJoined = (await who.sync()).rooms?.join?.[room.roomId] !== undefined
  const answer = await who.call('GET', `/rooms/${encodeURIComponent(room.roomId)}/state`)
  if ((answer.status === 200) !== isJoined) throw new Error(`sync and state disagree: ${answer.status}`)
  if (answer.status !== 200) return null
  return answer.body.filter((event: { type: string }) => event.type === 'org.example.setting').length
}

test.serial('a server that is killed while a room comes here has it whole or not at all', async t => {
  const server = await startFederated('a.test')
  t.teardown(() => server.process.remove())
  const peer = await FederationPeer.start('b.test', authority)
  t.teardown(() => peer.close())
  await pinHomeserver(server, peer, authority)
  const ann = await person(server, 'ann')

  const first = bigRoom(peer)
  const joining = join(ann, first.room, peer.serverName)
  await first.asked
  const begun = performance.now()
  t.is((await joining).status, 200)
  const wholeMs = performance.now() - begun
  t.is(await seen(ann, first.room), settings)

  // From the answer to the last write: somewhere in between each kind of row is on its way.
  for (const part of [0.3, 0.6, 0.85, 1]) {
    const { room, asked } = bigRoom(peer)
    const cut = join(ann, room, peer.serverName).catch(() => null)
    await asked
    await sleep(wholeMs * part)
    await server.process.kill()
    const answer = await cut
    await server.process.start()
    const here = await seen(ann, room)
    t.true(here === null || here === settings, `${part}: ${here} of ${settings} settings`)
    // What was acknowledged is there.
    if (answer?.status === 200) t.is(here, settings)
    t.is((await join(ann, room, peer.serverName)).status, 200)
    t.is(await seen(ann, room), settings)
    t.is((await ann.call('PUT', ...ann.saying(room.roomId, 'here'))).status, 200)
  }
  t.is(await seen(ann, first.room), settings)
})
