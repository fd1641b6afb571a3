/** A third server is the policy server of a room that Synapse and ours share: each shows what the other had it sign. */
import anyTest, { type TestFn } from 'ava'
import { encodeBase64 } from '../../../server/protocol/base64.ts'
import { signedText } from '../../../server/protocol/event-hash.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { utf8Bytes } from '../../../server/protocol/utf8.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { PeerRoom } from '../../support/peer-room.ts'
import { signingKey } from '../../support/primitives.ts'
import { at, type Person } from './person.ts'
import { World } from './world.ts'

const test = anyTest as TestFn
const key = signingKey(new Uint8Array(32).fill(9))

let world: World
let policy: FederationPeer
let ours: Person
let theirs: Person
let roomId: string
/** Who asked about which text. */
const asked: string[] = []

test.before(async () => {
  const authority = new TestAuthority()
  policy = await FederationPeer.start('policy.test', authority)
  world = await World.open({}, authority, [policy])
  ours = await world.atLetro('amal')
  theirs = await world.atSynapse('jonas')
  roomId = await ours.createRoom({ preset: 'public_chat', room_version: '11' })
  await theirs.join(roomId, world.letro.serverName)
  await ours.isMember(roomId, theirs.userId, 'join')
  const pia = `@pia:${policy.serverName}`
  const held = await PeerRoom.join(policy, world.letro, roomId, pia)
  await theirs.isMember(roomId, pia, 'join')

  policy.on('POST', '/_matrix/policy/v1/sign', ({ body, origin }) => {
    const text = String((body['content'] as JsonObject)['body'])
    asked.push(`${origin?.replace(/:.*/, '')}: ${text}`)
    if (text.includes('spam')) return { status: 400, body: { errcode: 'M_FORBIDDEN', error: 'Spam.' } }
    const signature = encodeBase64(key.sign(utf8Bytes(signedText(body, held.rules))))
    return { body: { [policy.serverName]: { 'ed25519:policy_server': signature } } }
  })
  const set = await ours.setState(roomId, 'm.room.policy', {
    via: policy.serverName,
    public_keys: { ed25519: encodeBase64(key.publicKey) },
  })
  await theirs.sees(roomId, set)
})
test.after.always(async () => {
  await world?.close()
  await policy?.close()
})
test.afterEach.always(t => {
  if (!t.passed) t.log(asked, world.words)
})

test.serial('each has its own events signed, and shows the other’s without asking again', async t => {
  await theirs.sees(roomId, await ours.say(roomId, 'from ours'))
  await ours.sees(roomId, await theirs.say(roomId, 'from theirs'))
  t.deepEqual(asked, ['letro.test: from ours', 'synapse.test: from theirs'])
})

test.serial('what it refuses is told to its sender, and nobody gets it', async t => {
  for (const who of [ours, theirs]) {
    const path = `${at(roomId)}/send/m.room.message/spam`
    const { status, body } = await who.ask('PUT', path, { msgtype: 'm.text', body: 'spam' })
    t.deepEqual([status, body.errcode, body.error], [400, 'M_FORBIDDEN', 'Spam.'])
  }
  const last = await theirs.say(roomId, 'the last')
  await ours.sees(roomId, last)
  for (const who of [ours, theirs]) {
    const texts = (await who.messages(roomId)).map(event => event.content['body'])
    t.false(texts.includes('spam'))
  }
})

test.serial('a room without it goes on', async t => {
  await theirs.sees(roomId, await ours.setState(roomId, 'm.room.policy', {}))
  const { length } = asked
  await theirs.sees(roomId, await ours.say(roomId, 'no more spam'))
  await ours.sees(roomId, await theirs.say(roomId, 'spam, and nobody minds'))
  t.is(asked.length, length)
})
