/** Over the wire: a peer is the policy server of our room, and we are none ourselves. Spec: server-server-api#policy-servers */
import test from 'ava'
import { encodeBase64 } from '../../../server/protocol/base64.ts'
import { signedText } from '../../../server/protocol/event-hash.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { utf8Bytes } from '../../../server/protocol/utf8.ts'
import { TestAuthority } from '../../support/certificates.ts'
import { type FederatedServer, pinHomeserver, startFederated } from '../../support/federated.ts'
import { FederationPeer } from '../../support/federation-peer.ts'
import { PeerRoom } from '../../support/peer-room.ts'
import { eventually, type Person, person } from '../../support/person.ts'
import { signingKey } from '../../support/primitives.ts'

const authority = new TestAuthority()
const policyKey = signingKey(new Uint8Array(32).fill(7))
const signPath = '/_matrix/policy/v1/sign'

interface Rig {
  readonly server: FederatedServer
  readonly peer: FederationPeer
  readonly ann: Person
  readonly roomId: string
  /** As the peer holds the room. */
  readonly held: PeerRoom
  readonly pia: string
  asked(): JsonObject[]
}

/** Ann's room, with somebody of a peer that answers as a policy server: it recommends what does not say "spam". */
async function rig(t: { teardown(act: () => Promise<void>): void }): Promise<Rig> {
  const [server, peer] = await Promise.all([
    startFederated('a.test'),
    FederationPeer.start('policy.test', authority),
  ])
  t.teardown(async () => {
    await peer.close()
    await server.process.remove()
  })
  await pinHomeserver(server, peer, authority)
  const ann = await person(server, 'ann')
  const { room_id: roomId } = await ann.ask('POST', '/createRoom', { preset: 'public_chat' })
  const pia = `@pia:${peer.serverName}`
  const held = await PeerRoom.join(peer, server, roomId, pia)
  const asked: JsonObject[] = []
  peer.on('POST', signPath, ({ body, origin }) => {
    if (origin !== server.serverName) return { status: 401, body: {} }
    asked.push(body)
    if (JSON.stringify(body['content']).includes('spam')) {
      return { status: 400, body: { errcode: 'M_FORBIDDEN', error: 'It looks like spam.' } }
    }
    return { body: signatureFor(peer, held, body) }
  })
  const content = {
    via: peer.serverName,
    public_keys: { ed25519: encodeBase64(policyKey.publicKey) },
  }
  const set = await ann.setState(roomId, 'm.room.policy', '', content)
  if (set.status !== 200) throw new Error(JSON.stringify(set.body))
  await eventually(async () => peer.pdus.some(({ type }) => type === 'm.room.policy'))
  held.take(peer.pdus.find(({ type }) => type === 'm.room.policy')!)
  return { server, peer, ann, roomId, held, pia, asked: () => asked }
}

function signatureFor(peer: FederationPeer, held: PeerRoom, event: JsonObject): JsonObject {
  const signature = policyKey.sign(utf8Bytes(signedText(event, held.rules)))
  return { [peer.serverName]: { 'ed25519:policy_server': encodeBase64(signature) } }
}

const bodiesOf = (pdus: readonly JsonObject[]) =>
  pdus.flatMap(({ content }) => (content as JsonObject)['body'] ?? [])

test.serial('what our people write is signed by the peer, and what it refuses never leaves', async t => {
  const { server, peer, ann, roomId, asked } = await rig(t)
  await ann.say(roomId, 'hello')
  const refused = await ann.call('PUT', ...ann.saying(roomId, 'spam'))
  t.is(refused.status, 400)
  t.deepEqual(refused.body, { errcode: 'M_FORBIDDEN', error: 'It looks like spam.' })
  await ann.say(roomId, 'hello again')
  await eventually(async () => bodiesOf(peer.pdus).includes('hello again'))
  t.deepEqual(bodiesOf(peer.pdus), ['hello', 'hello again'])
  t.deepEqual(await ann.texts(roomId), ['hello again', 'hello'])
  for (const pdu of peer.pdus.filter(({ type }) => type === 'm.room.message')) {
    const signatures = pdu['signatures'] as JsonObject
    t.deepEqual(Object.keys(signatures).sort(), [server.serverName, peer.serverName].sort())
  }
  t.is(asked().length, 3)

  peer.on('POST', signPath, () => ({
    status: 429,
    body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Slowly.', retry_after_ms: 7_000 },
  }))
  const slowly = await ann.call('PUT', ...ann.saying(roomId, 'once more'))
  t.is(slowly.status, 429)
  t.deepEqual(slowly.body, { errcode: 'M_LIMIT_EXCEEDED', error: 'Slowly.', retry_after_ms: 7_000 })
  t.is(slowly.headers.get('retry-after'), '7')
})

test.serial('what the peer sends unsigned is asked about, and shown only if it is recommended', async t => {
  const { server, peer, ann, roomId, held, pia, asked } = await rig(t)
  const before = asked().length
  const spam = held.message(pia, 'spam')
  const good = held.message(pia, 'good')
  t.deepEqual(await peer.transact(server, [spam.pdu, good.pdu]), { [spam.eventId]: {}, [good.eventId]: {} })
  t.deepEqual(await ann.texts(roomId), ['good'])
  t.is(asked().length, before + 2)

  const third = held.message(pia, 'signed')
  const theirs = (third.pdu['signatures'] as JsonObject)[peer.serverName] as JsonObject
  const given = signatureFor(peer, held, third.pdu)[peer.serverName] as JsonObject
  const signed = { ...third.pdu, signatures: { [peer.serverName]: { ...theirs, ...given } } }
  await peer.transact(server, [signed])
  t.deepEqual(await ann.texts(roomId), ['signed', 'good'])
  t.is(asked().length, before + 2, 'it was signed already')

  // Whoever asks us for an event gets it with the signature that we had to ask for.
  const got = await peer.ask(
    server,
    'GET',
    `/_matrix/federation/v1/event/${encodeURIComponent(good.eventId)}`,
  )
  const [pdu] = got.body.pdus
  t.deepEqual(Object.keys(pdu.signatures[peer.serverName]).sort(), ['ed25519:policy_server', peer.keyId])
})

test.serial('a peer that answers nonsense holds up its room alone, until that names another one', async t => {
  const { peer, ann, roomId, asked } = await rig(t)
  const other = (await ann.ask('POST', '/createRoom', {})).room_id
  peer.on('POST', signPath, () => ({ status: 200, body: 'no object' }))
  const refused = await ann.call('PUT', ...ann.saying(roomId, 'hello'))
  t.is(refused.status, 503)
  t.is(refused.body.errcode, 'M_UNKNOWN')
  t.true(refused.body.error.includes(peer.serverName), refused.body.error)
  await ann.say(other, 'here all goes on')
  t.is((await ann.setState(roomId, 'm.room.policy', '', {})).status, 200)
  await ann.say(roomId, 'without it')
  t.deepEqual(await ann.texts(roomId), ['without it'])
  t.is(asked().length, 0)
})

test.serial(
  'we are no policy server: whoever asks us to sign hears that there is no such endpoint',
  async t => {
    const { server, peer, held, pia } = await rig(t)
    const { pdu } = held.message(pia, 'hello')
    for (const answer of [
      await peer.ask(server, 'POST', signPath, pdu),
      await peer.send(server, 'POST', signPath, {}, JSON.stringify(pdu)),
      await peer.send(server, 'GET', '/.well-known/matrix/policy_server', {}),
    ]) {
      t.is(answer.status, 404)
      t.is(answer.body.errcode, 'M_UNRECOGNIZED')
    }
  },
)
