/** Olm against libolm, both ways, and what a session refuses. */
import { createRequire } from 'node:module'
import test from 'ava'
import { decodePreKeyMessage } from '../../pwa/e2ee/olm-message.ts'
import { OlmSession } from '../../pwa/e2ee/olm-session.ts'
import { curve25519KeyPair, randomBytes, ready } from '../../pwa/e2ee/primitives.ts'
import { decodeBase64, encodeBase64 } from '../../server/protocol/base64.ts'

const Olm = createRequire(import.meta.url)('@matrix-org/olm')
test.before(async () => {
  await ready
  await Olm.init()
})

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (base64: string) => decodeBase64(base64)!

function libolm() {
  const account = new Olm.Account()
  account.create()
  account.generate_one_time_keys(1)
  const oneTimeKey = Object.values(JSON.parse(account.one_time_keys()).curve25519)[0] as string
  return { account, oneTimeKey, identityKey: JSON.parse(account.identity_keys()).curve25519 as string }
}

test('a session that we begin is read and answered by libolm, through many turns of the ratchet', async t => {
  const theirs = libolm()
  const ourIdentity = curve25519KeyPair()
  let session = OlmSession.outbound(
    ourIdentity,
    bytes(theirs.identityKey),
    bytes(theirs.oneTimeKey),
    randomBytes,
  )
  const first = await session.encrypt(utf8('hello'), randomBytes)
  session = first.session
  t.is(first.message.type, 0)
  const remote = new Olm.Session()
  remote.create_inbound_from(
    theirs.account,
    encodeBase64(ourIdentity.publicKey),
    encodeBase64(first.message.body),
  )
  t.is(remote.decrypt(0, encodeBase64(first.message.body)), 'hello')
  t.is(remote.session_id(), session.id)
  for (let turn = 0; turn < 8; turn++) {
    for (let i = 0; i <= turn % 3; i++) {
      const { type, body } = remote.encrypt(`back ${turn} ${i}`)
      const opened = await session.decrypt({ type, body: bytes(body) })
      session = OlmSession.fromRecord(JSON.parse(JSON.stringify(opened.session.toRecord())))
      t.is(text(opened.plaintext), `back ${turn} ${i}`)
    }
    for (let i = 0; i <= turn % 2; i++) {
      const sent = await session.encrypt(utf8(`there ${turn} ${i}`), randomBytes)
      session = sent.session
      t.is(sent.message.type, 1)
      t.is(remote.decrypt(1, encodeBase64(sent.message.body)), `there ${turn} ${i}`)
    }
  }
})

test('a session that libolm begins is read here, out of order as well', async t => {
  const theirs = libolm()
  const [ourIdentity, ourOneTimeKey] = [curve25519KeyPair(), curve25519KeyPair()]
  const remote = new Olm.Session()
  remote.create_outbound(
    theirs.account,
    encodeBase64(ourIdentity.publicKey),
    encodeBase64(ourOneTimeKey.publicKey),
  )
  const sent = Array.from({ length: 30 }, (_, i) => {
    const { type, body } = remote.encrypt(`message ${i}`)
    return { type, body: bytes(body) }
  })
  const first = decodePreKeyMessage(sent[0]!.body)
  let session = OlmSession.inbound(ourIdentity, ourOneTimeKey, first)
  t.true(session.isBegunBy(first))
  t.is(session.id, remote.session_id())
  for (const i of [7, 3, 0, 29, 1, 28, 2]) {
    const opened = await session.decrypt(sent[i]!)
    session = opened.session
    t.is(text(opened.plaintext), `message ${i}`)
  }
  await t.throwsAsync(session.decrypt(sent[7]!), { code: 'OLM_MESSAGE_KEY_GONE' })
})

test('attack 15 (Olm): a gap is capped, and nothing changes before the MAC holds', async t => {
  const [ourIdentity, theirIdentity, oneTimeKey] = [
    curve25519KeyPair(),
    curve25519KeyPair(),
    curve25519KeyPair(),
  ]
  let sender = OlmSession.outbound(ourIdentity, theirIdentity.publicKey, oneTimeKey.publicKey, randomBytes)
  const first = await sender.encrypt(utf8('first'), randomBytes)
  sender = first.session
  const receiver = (
    await OlmSession.inbound(theirIdentity, oneTimeKey, decodePreKeyMessage(first.message.body)).decrypt(
      first.message,
    )
  ).session
  let last = first
  for (let i = 0; i < 2_002; i++) {
    last = await sender.encrypt(utf8('later'), randomBytes)
    sender = last.session
  }
  await t.throwsAsync(receiver.decrypt(last.message), { code: 'OLM_GAP_TOO_LARGE' })
  const before = JSON.stringify(receiver.toRecord())
  const forged = { ...last.message, body: last.message.body.with(last.message.body.length - 1, 0) }
  await t.throwsAsync(receiver.decrypt(forged))
  t.is(JSON.stringify(receiver.toRecord()), before)
})

test('a session shows no key', async t => {
  const session = OlmSession.outbound(
    curve25519KeyPair(),
    curve25519KeyPair().publicKey,
    curve25519KeyPair().publicKey,
    randomBytes,
  )
  t.is(JSON.stringify(session), '{}')
})
