/**
 * The vectors of test/vectors (scripts/make-e2ee-vectors.ts): with the same randomness we write what libolm wrote, byte
 * for byte, and read it; and the corpus of broken messages ends as it did.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { Account } from '../../pwa/e2ee/account.ts'
import { decryptAttachment, encryptAttachment } from '../../pwa/e2ee/attachment.ts'
import { decryptFromBackup, encryptForBackup } from '../../pwa/e2ee/ecies-backup.ts'
import { E2eeError } from '../../pwa/e2ee/errors.ts'
import { InboundGroupSession } from '../../pwa/e2ee/inbound-group-session.ts'
import { readKeyFile } from '../../pwa/e2ee/key-export-file.ts'
import { decodePreKeyMessage } from '../../pwa/e2ee/olm-message.ts'
import { OlmSession } from '../../pwa/e2ee/olm-session.ts'
import { OutboundGroupSession } from '../../pwa/e2ee/outbound-group-session.ts'
import { curve25519KeyPair, ready } from '../../pwa/e2ee/primitives.ts'
import { decodeBase64, encodeBase64 } from '../../server/protocol/base64.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { outcomeOf, type Parser, parsers } from './parsers.ts'

test.before(() => ready)

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const bytes = (base64: string) => decodeBase64(base64)!

function load<T>(path: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', path), 'utf8'))
}

/** Gives out these bytes in their order; refuses to give more. */
function drawFrom(hex: string): (size: number) => Uint8Array {
  const all = fromHex(hex)
  let at = 0
  return size => {
    if (at + size > all.length) throw new Error('more randomness is drawn than libolm drew')
    at += size
    return all.slice(at - size, at)
  }
}

interface OlmVector {
  readonly aliceRandom: string
  readonly bobRandom: string
  readonly aliceKeys: { readonly ed25519: string; readonly curve25519: string }
  readonly bobKeys: { readonly ed25519: string; readonly curve25519: string }
  readonly oneTimeKey: string
  readonly sessionId: string
  readonly messages: readonly { from: 'A' | 'B'; plaintext: string; type: 0 | 1; body: string }[]
}

test('Olm: we write libolm’s conversation, byte for byte', async t => {
  const vector = load<OlmVector>('vectors/olm.json')
  const draw = { A: drawFrom(vector.aliceRandom), B: drawFrom(vector.bobRandom) }
  const [alice, bob] = [Account.create(draw.A), Account.create(draw.B)]
  t.deepEqual({ ed25519: alice.ed25519Key, curve25519: alice.curve25519Key }, vector.aliceKeys)
  t.deepEqual({ ed25519: bob.ed25519Key, curve25519: bob.curve25519Key }, vector.bobKeys)
  const oneTimeKey = curve25519KeyPair(draw.B(32))
  t.is(encodeBase64(oneTimeKey.publicKey), vector.oneTimeKey)
  const first = bytes(vector.messages[0]!.body)
  const sessions = {
    A: OlmSession.outbound(alice.identityKey, bob.identityKey.publicKey, oneTimeKey.publicKey, draw.A),
    B: OlmSession.inbound(bob.identityKey, oneTimeKey, decodePreKeyMessage(first)),
  }
  t.is(sessions.A.id, vector.sessionId)
  t.is(sessions.B.id, vector.sessionId)
  for (const { from, plaintext, type, body } of vector.messages) {
    const to = from === 'A' ? 'B' : 'A'
    const { message, session } = await sessions[from].encrypt(utf8(plaintext), draw[from])
    t.deepEqual({ type: message.type, body: encodeBase64(message.body) }, { type, body })
    sessions[from] = session
    const opened = await sessions[to].decrypt(message)
    t.is(text(opened.plaintext), plaintext)
    sessions[to] = opened.session
  }
})

interface MegolmVector {
  readonly random: string
  readonly sessionId: string
  readonly sessionKey: string
  readonly messages: readonly { index: number; plaintext: string; message: string }[]
  readonly exports: readonly { index: number; exported: string }[]
}

test('Megolm: we write and read libolm’s session, byte for byte', async t => {
  const vector = load<MegolmVector>('vectors/megolm.json')
  let outbound = OutboundGroupSession.create(drawFrom(vector.random))
  t.is(outbound.id, vector.sessionId)
  t.is(outbound.sessionKey(), vector.sessionKey)
  const inbound = InboundGroupSession.fromSessionKey(vector.sessionKey)
  for (const { index, plaintext, message } of vector.messages) {
    while (outbound.index < index) outbound = (await outbound.encrypt(utf8('between'))).session
    t.is(encodeBase64((await outbound.encrypt(utf8(plaintext))).message), message)
    const opened = await inbound.decrypt(bytes(message))
    t.deepEqual([text(opened.plaintext), opened.index], [plaintext, index])
  }
  for (const { index, exported } of vector.exports) {
    t.is(inbound.exportFrom(index), exported)
    t.true(InboundGroupSession.fromExport(exported).isSameAs(inbound))
  }
})

interface BackupVector {
  readonly privateKey: string
  readonly publicKey: string
  readonly sessions: readonly { random: string; plaintext: string; sessionData: JsonObject }[]
}

test('Backup: we encrypt and open what libolm encrypted, byte for byte', async t => {
  const { privateKey, publicKey, sessions } = load<BackupVector>('vectors/backup.json')
  t.is(encodeBase64(curve25519KeyPair(fromHex(privateKey)).publicKey), publicKey)
  for (const { random, plaintext, sessionData } of sessions) {
    t.deepEqual(await encryptForBackup(bytes(publicKey), fromHex(random), utf8(plaintext)), sessionData)
    t.is(text(await decryptFromBackup(fromHex(privateKey), sessionData)), plaintext)
  }
})

interface AttachmentVector {
  readonly random: string
  readonly plaintext: string
  readonly ciphertext: string
  readonly info: JsonObject
}

test('Attachments: we encrypt and open what OpenSSL encrypted, byte for byte', async t => {
  for (const { random, plaintext, ciphertext, info } of load<AttachmentVector[]>('vectors/attachment.json')) {
    const encrypting = encryptAttachment(drawFrom(random))
    t.is(await through(encrypting.stream, plaintext), ciphertext)
    t.deepEqual(encrypting.info(), info)
    t.is(await through(decryptAttachment(info, 10_000), ciphertext), plaintext)
  }
})

async function through(stream: TransformStream<Uint8Array, Uint8Array>, hex: string): Promise<string> {
  const out: Uint8Array[] = []
  for await (const piece of ReadableStream.from([fromHex(hex)]).pipeThrough(stream)) out.push(piece)
  return Buffer.concat(out).toString('hex')
}

test('the corpus of broken messages ends as it did', t => {
  const corpus = load<{ parser: Parser; bytes: string; outcome: string }[]>('corpus/e2ee/broken.json')
  t.true(corpus.length > 30)
  for (const { parser, bytes, outcome } of corpus) t.is(outcomeOf(parser, fromHex(bytes)), outcome, bytes)
})

test('rubbish is refused with a code, by every parser', async t => {
  const parser = fc.constantFrom(...(Object.keys(parsers) as Parser[]))
  // The versions that exist stand first often enough to get further than the first byte.
  const rubbish = fc
    .tuple(fc.constantFrom(1, 2, 3, 255), fc.uint8Array({ maxLength: 400 }))
    .map(([version, rest]) => Uint8Array.of(version, ...rest))
  fc.assert(
    fc.property(parser, rubbish, (name, input) => {
      outcomeOf(name, input)
    }),
    { numRuns: 2_000 },
  )
  await fc.assert(
    fc.asyncProperty(fc.base64String({ maxLength: 120 }), async body => {
      const file = `-----BEGIN MEGOLM SESSION DATA-----\n${body}\n-----END MEGOLM SESSION DATA-----`
      for (const each of [file, body]) {
        await t.throwsAsync(readKeyFile(each, 'passphrase'), { instanceOf: E2eeError })
      }
    }),
    { numRuns: 50 },
  )
})
