/** Megolm against libolm, both ways, and what a session refuses. */
import { createRequire } from 'node:module'
import test from 'ava'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import { advanceTo } from '../../pwa/e2ee/megolm-ratchet.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { decodeBase64, encodeBase64 } from '../../server/protocol/base64.ts'

const Olm = createRequire(import.meta.url)('@matrix-org/olm')
test.before(async () => {
  await ready
  await Olm.init()
})

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

test('libolm reads what we write, from the index that it was given on', async t => {
  let session = OutboundGroupSession.create(randomBytes)
  const early = await session.encrypt(utf8('early'))
  session = OutboundGroupSession.fromRecord(JSON.parse(JSON.stringify(early.session.toRecord())))
  const remote = new Olm.InboundGroupSession()
  remote.create(session.sessionKey())
  t.is(remote.session_id(), session.id)
  t.is(remote.first_known_index(), 1)
  t.throws(() => remote.decrypt(encodeBase64(early.message)), { message: /UNKNOWN_MESSAGE_INDEX/ })
  for (let i = 1; i < 300; i++) {
    const sent = await session.encrypt(utf8(`message ${i}`))
    session = sent.session
    t.deepEqual(remote.decrypt(encodeBase64(sent.message)), { message_index: i, plaintext: `message ${i}` })
  }
})

test('we read what libolm writes, in any order, and an export is the same session', async t => {
  const remote = new Olm.OutboundGroupSession()
  remote.create()
  const session = InboundGroupSession.fromSessionKey(remote.session_key())
  t.is(session.id, remote.session_id())
  const sent = Array.from({ length: 600 }, (_, i) => decodeBase64(remote.encrypt(`message ${i}`))!)
  for (const i of [0, 599, 257, 255, 256, 1]) {
    t.deepEqual(await session.decrypt(sent[i]!).then(({ plaintext, index }) => [text(plaintext), index]), [
      `message ${i}`,
      i,
    ])
  }
  const exported = session.exportFrom(300)
  const again = InboundGroupSession.fromExport(exported)
  t.is(again.firstKnownIndex, 300)
  t.true(again.isSameAs(session))
  await t.throwsAsync(again.decrypt(sent[299]!), { code: 'MEGOLM_UNKNOWN_INDEX' })
  t.is(text((await again.decrypt(sent[300]!)).plaintext), 'message 300')
  const imported = new Olm.InboundGroupSession()
  imported.import_session(exported)
  t.is(imported.export_session(300), exported)
})

test('the ratchet meets libolm’s at far indices', t => {
  const remote = new Olm.OutboundGroupSession()
  remote.create()
  const inbound = new Olm.InboundGroupSession()
  inbound.create(remote.session_key())
  const bytes = decodeBase64(inbound.export_session(0))!.subarray(5, 133)
  for (const index of [1, 255, 256, 257, 65_535, 65_536, 65_537, 16_777_215, 16_777_216, 2_147_483_647]) {
    const theirs = decodeBase64(inbound.export_session(index))!.subarray(5, 133)
    t.deepEqual(Buffer.from(advanceTo({ bytes, index: 0 }, index).bytes), Buffer.from(theirs), String(index))
  }
  t.throws(() => advanceTo({ bytes, index: 7 }, 6), { instanceOf: RangeError })
})

test('a message that was changed anywhere is refused', async t => {
  const outbound = OutboundGroupSession.create(randomBytes)
  const inbound = InboundGroupSession.fromSessionKey(outbound.sessionKey())
  const { message } = await outbound.encrypt(utf8('words'))
  for (let i = 0; i < message.length; i++) {
    await t.throwsAsync(inbound.decrypt(message.with(i, message[i]! ^ 1)), undefined, String(i))
  }
  for (let length = 0; length < message.length; length++) {
    await t.throwsAsync(inbound.decrypt(message.subarray(0, length)), undefined, String(length))
  }
  t.is(text((await inbound.decrypt(message)).plaintext), 'words')
})

test('a session key that its session did not sign is refused', t => {
  const key = decodeBase64(OutboundGroupSession.create(randomBytes).sessionKey())!
  t.throws(() => InboundGroupSession.fromSessionKey(encodeBase64(key.with(10, key[10]! ^ 1))), {
    code: 'BAD_SESSION_KEY',
  })
  t.throws(() => InboundGroupSession.fromSessionKey(encodeBase64(key.subarray(1))), {
    code: 'BAD_SESSION_KEY',
  })
  t.throws(() => InboundGroupSession.fromSessionKey('?'), { code: 'BAD_SESSION_KEY' })
})

test('another session under the same id is not the same', t => {
  const outbound = OutboundGroupSession.create(randomBytes)
  const inbound = InboundGroupSession.fromSessionKey(outbound.sessionKey())
  const exported = decodeBase64(inbound.export())!
  const forged = InboundGroupSession.fromExport(encodeBase64(exported.with(20, exported[20]! ^ 1)))
  t.is(forged.id, inbound.id)
  t.false(inbound.isSameAs(forged))
})
