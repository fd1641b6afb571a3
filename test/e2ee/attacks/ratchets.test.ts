/** Attacks on the keys and messages of Olm, Megolm and key backup. */
import test, { type ExecutionContext } from 'ava'
import { Account } from '../../../pwa/e2ee/account.ts'
import { encryptForBackup } from '../../../pwa/e2ee/ecies-backup.ts'
import { InboundGroupSession } from '../../../pwa/e2ee/inbound-group-session.ts'
import {
  decodeNormalMessage,
  decodePreKeyMessage,
  encodeNormalMessage,
} from '../../../pwa/e2ee/olm-message.ts'
import { OlmSession } from '../../../pwa/e2ee/olm-session.ts'
import { OutboundGroupSession } from '../../../pwa/e2ee/outbound-group-session.ts'
import {
  curve25519KeyPair,
  ed25519KeyPair,
  ed25519Sign,
  ed25519Verify,
  randomBytes,
  ready,
} from '../../../pwa/e2ee/primitives.ts'
import { decodeBase64, encodeBase64 } from '../../../server/protocol/base64.ts'

test.before(() => ready)

const utf8 = (text: string) => new TextEncoder().encode(text)
const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

/** The order of the base point, little end first. */
const groupOrder = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** The same signature with S + L in place of S: holds where S is not checked to be the smallest. */
function malleated(signature: Uint8Array): Uint8Array {
  const changed = signature.slice()
  let carry = 0
  for (let i = 0; i < 32; i++) {
    const sum = changed[32 + i]! + groupOrder[i]! + carry
    changed[32 + i] = sum & 0xff
    carry = sum >> 8
  }
  return changed
}

test('attack 7: a signature has one form only', async t => {
  const { privateKey, publicKey } = ed25519KeyPair()
  const signature = ed25519Sign(privateKey, utf8('words'))
  t.true(ed25519Verify(utf8('words'), signature, publicKey))
  t.false(ed25519Verify(utf8('words'), malleated(signature), publicKey))

  const outbound = OutboundGroupSession.create(randomBytes)
  const inbound = InboundGroupSession.fromSessionKey(outbound.sessionKey())
  const { message } = await outbound.encrypt(utf8('words'))
  const changed = new Uint8Array([...message.subarray(0, -64), ...malleated(message.subarray(-64))])
  await t.throwsAsync(inbound.decrypt(changed), { code: 'MEGOLM_BAD_SIGNATURE' })

  const key = decodeBase64(outbound.sessionKey())!
  const changedKey = new Uint8Array([...key.subarray(0, -64), ...malleated(key.subarray(-64))])
  t.throws(() => InboundGroupSession.fromSessionKey(encodeBase64(changedKey)), { code: 'BAD_SESSION_KEY' })
})

test('attack 7: a key of small order signs nothing', t => {
  // With the neutral element as key, R = B and S = 1 satisfy the equation for every message.
  const neutral = fromHex(`01${'00'.repeat(31)}`)
  const signature = fromHex(`58${'66'.repeat(31)}01${'00'.repeat(31)}`)
  t.false(ed25519Verify(utf8('anything'), signature, neutral))
})

test('attack 7: no secret goes through a base64 of tables and branches', t => {
  const account = Account.create(randomBytes)
  const outbound = OutboundGroupSession.create(randomBytes)
  const olm = OlmSession.outbound(
    account.identityKey,
    curve25519KeyPair().publicKey,
    curve25519KeyPair().publicKey,
    randomBytes,
  )
  const { texts, restore } = watchBuiltInBase64()
  let secrets: string[]
  try {
    const megolm = outbound.toRecord()
    const { rootKey, sending } = olm.toRecord() as {
      rootKey: string
      sending: { ratchetKey: string; key: string }
    }
    const { signingSeed, identityKey } = account.toRecord()
    const inbound = InboundGroupSession.fromSessionKey(outbound.sessionKey())
    secrets = [
      ...[signingSeed, identityKey, megolm['ratchet'], megolm['signingSeed']].map(String),
      rootKey,
      sending.ratchetKey,
      sending.key,
      outbound.sessionKey(),
      inbound.export(),
    ]
    Account.fromRecord(account.toRecord())
    OutboundGroupSession.fromRecord(outbound.toRecord())
    OlmSession.fromRecord(olm.toRecord())
    InboundGroupSession.fromExport(inbound.export())
  } finally {
    restore()
  }
  t.true(texts.size > 0)
  for (const secret of secrets) t.false(texts.has(secret))
})

/** What the runtime's own base64 makes and reads until `restore`. */
function watchBuiltInBase64() {
  const texts = new Set<string>()
  const { toBase64 } = Uint8Array.prototype
  const { fromBase64 } = Uint8Array
  Uint8Array.prototype.toBase64 = function (this: Uint8Array, ...args) {
    const text = toBase64.apply(this, args)
    texts.add(text)
    return text
  }
  Uint8Array.fromBase64 = (text, ...args) => {
    texts.add(text)
    return fromBase64.call(Uint8Array, text, ...args)
  }
  const restore = () => {
    Uint8Array.prototype.toBase64 = toBase64
    Uint8Array.fromBase64 = fromBase64
  }
  return { texts, restore }
}

/** Every encoding of a point whose order divides 8, those that are not reduced included. */
const smallOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(fromHex)

test('attack 8: a key of small order begins no session and takes part in none', async t => {
  const ours = curve25519KeyPair()
  const oneTimeKey = curve25519KeyPair()
  const { alice, bob } = await conversation()
  const { message } = await alice.encrypt(utf8('next'), randomBytes)
  const refused = { code: 'NON_CONTRIBUTORY_KEY' }
  for (const point of smallOrderPoints) {
    const good = curve25519KeyPair().publicKey
    t.throws(() => OlmSession.outbound(ours, point, good, randomBytes), refused)
    t.throws(() => OlmSession.outbound(ours, good, point, randomBytes), refused)
    const first = {
      oneTimeKey: oneTimeKey.publicKey,
      baseKey: good,
      identityKey: good,
      message: message.body,
    }
    t.throws(() => OlmSession.inbound(ours, oneTimeKey, { ...first, identityKey: point }), refused)
    t.throws(() => OlmSession.inbound(ours, oneTimeKey, { ...first, baseKey: point }), refused)
    await t.throwsAsync(encryptForBackup(point, randomBytes(32), utf8('a session')), refused)

    const before = JSON.stringify(bob.toRecord())
    const normal = decodeNormalMessage(message.body)
    const body = encodeNormalMessage(point, 0, normal.ciphertext, () => normal.mac)
    await t.throwsAsync(bob.decrypt({ type: 1, body }), refused)
    t.is(JSON.stringify(bob.toRecord()), before)
  }
})

test('attack 15: a gap is capped, whatever the message says', async t => {
  const { alice, bob } = await conversation()
  const normal = decodeNormalMessage((await alice.encrypt(utf8('next'), randomBytes)).message.body)
  const begun = performance.now()
  for (const index of [2_002, 65_536, 0x7fff_ffff, 0xffff_ffff]) {
    const body = encodeNormalMessage(normal.ratchetKey, index, normal.ciphertext, () => normal.mac)
    await unchanged(t, bob, () => bob.decrypt({ type: 1, body }), 'OLM_GAP_TOO_LARGE')
    // A chain that does not exist yet has a gap as well.
    const fresh = encodeNormalMessage(
      curve25519KeyPair().publicKey,
      index,
      normal.ciphertext,
      () => normal.mac,
    )
    await unchanged(t, bob, () => bob.decrypt({ type: 1, body: fresh }), 'OLM_GAP_TOO_LARGE')
  }
  t.log(`refused in ${Math.round(performance.now() - begun)} ms`)
})

test('attack 15: a message is nothing before its MAC holds', async t => {
  const { alice, bob } = await conversation()
  const { message } = await alice.encrypt(utf8('next'), randomBytes)
  const { body } = message
  const forged = body.with(body.length - 1, body.at(-1)! ^ 1)
  await unchanged(t, bob, () => bob.decrypt({ type: 1, body: forged }), 'OLM_BAD_MAC')
  const normal = decodeNormalMessage(body)
  const far = encodeNormalMessage(normal.ratchetKey, 1_000, normal.ciphertext, () => normal.mac)
  await unchanged(t, bob, () => bob.decrypt({ type: 1, body: far }), 'OLM_BAD_MAC')
  const turned = encodeNormalMessage(curve25519KeyPair().publicKey, 0, normal.ciphertext, () => normal.mac)
  await unchanged(t, bob, () => bob.decrypt({ type: 1, body: turned }), 'OLM_BAD_MAC')
  const { plaintext } = await bob.decrypt(message)
  t.deepEqual(new TextDecoder().decode(plaintext), 'next')
})

/** It is refused with this code, and the session is what it was. */
async function unchanged(
  t: ExecutionContext,
  session: OlmSession,
  act: () => Promise<unknown>,
  code: string,
) {
  const before = JSON.stringify(session.toRecord())
  await t.throwsAsync(act(), { code })
  t.is(JSON.stringify(session.toRecord()), before)
}

/** Two sides that have both heard from each other; Bob has a ratchet key that Alice does not know to be replaced. */
async function conversation(): Promise<{ alice: OlmSession; bob: OlmSession }> {
  const [aliceKey, bobKey, oneTimeKey] = [curve25519KeyPair(), curve25519KeyPair(), curve25519KeyPair()]
  const begun = OlmSession.outbound(aliceKey, bobKey.publicKey, oneTimeKey.publicKey, randomBytes)
  const first = await begun.encrypt(utf8('first'), randomBytes)
  const inbound = OlmSession.inbound(bobKey, oneTimeKey, decodePreKeyMessage(first.message.body))
  const received = await inbound.decrypt(first.message)
  const answer = await received.session.encrypt(utf8('answer'), randomBytes)
  const answered = await first.session.decrypt(answer.message)
  const turn = await answered.session.encrypt(utf8('turn'), randomBytes)
  const turned = await answer.session.decrypt(turn.message)
  const active = await turned.session.encrypt(utf8('active'), randomBytes)
  return { alice: turn.session, bob: active.session }
}
