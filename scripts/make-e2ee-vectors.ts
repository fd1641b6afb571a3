/**
 * `node scripts/make-e2ee-vectors.ts`: writes test/vectors/{olm,megolm,backup,attachment}.json and the corpus of broken
 * messages in test/corpus/e2ee.
 *
 * Olm, Megolm and backup come from libolm, whose randomness is replaced by a stream that stands in the vector: whoever
 * draws the same bytes in the same order has to write the same messages. libolm knows no attachments: those are made
 * with OpenSSL. The corpus is what a fixed sequence of damages makes of them, one of each kind of outcome.
 */
import crypto, { createCipheriv, createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ready } from '../pwa/e2ee/primitives.ts'
import { encodeBase64, encodeBase64Url } from '../server/protocol/base64.ts'
import { outcomeOf, type Parser, parsers } from '../test/e2ee/parsers.ts'

/** Bytes that anybody can make again: SHA-256 of a name and a counter. */
class Draw {
  readonly #name: string
  #counter = 0
  drawn = ''

  constructor(name: string) {
    this.#name = name
  }

  take(size: number): Buffer {
    let bytes = Buffer.alloc(0)
    while (bytes.length < size) {
      const block = createHash('sha256')
        .update(`${this.#name} ${this.#counter++}`)
        .digest()
      bytes = Buffer.concat([bytes, block])
    }
    const taken = bytes.subarray(0, size)
    this.drawn += taken.toString('hex')
    return taken
  }
}

let current = new Draw('start')
Object.assign(crypto, { randomBytes: (size: number) => current.take(size) })
const Olm = createRequire(import.meta.url)('@matrix-org/olm')
await Promise.all([Olm.init(), ready])

/** What `act` draws comes from there. */
function by<T>(draw: Draw, act: () => T): T {
  current = draw
  return act()
}

const root = join(import.meta.dirname, '..')

function write(path: string, value: unknown): void {
  writeFileSync(join(root, path), `${JSON.stringify(value, null, 1)}\n`)
}

const conversation = 'AABBBAABABBAAAAB'

function olm() {
  const [alice, bob] = [new Draw('alice'), new Draw('bob')]
  const [aliceAccount, bobAccount] = [new Olm.Account(), new Olm.Account()]
  by(alice, () => aliceAccount.create())
  by(bob, () => bobAccount.create())
  by(bob, () => bobAccount.generate_one_time_keys(1))
  const aliceKeys = JSON.parse(aliceAccount.identity_keys())
  const bobKeys = JSON.parse(bobAccount.identity_keys())
  const oneTimeKey = Object.values(JSON.parse(bobAccount.one_time_keys()).curve25519)[0]
  const [ours, theirs] = [new Olm.Session(), new Olm.Session()]
  by(alice, () => ours.create_outbound(aliceAccount, bobKeys.curve25519, oneTimeKey))
  const messages: { from: string; plaintext: string; type: number; body: string }[] = []
  for (const [i, from] of [...conversation].entries()) {
    const plaintext = `${i}: ${'words · كلمات '.repeat(i)}`
    const { type, body } = by(from === 'A' ? alice : bob, () =>
      (from === 'A' ? ours : theirs).encrypt(plaintext),
    )
    if (i === 0) theirs.create_inbound(bobAccount, body)
    ;(from === 'A' ? theirs : ours).decrypt(type, body)
    messages.push({ from, plaintext, type, body })
  }
  return {
    aliceRandom: alice.drawn,
    bobRandom: bob.drawn,
    aliceKeys,
    bobKeys,
    oneTimeKey,
    sessionId: ours.session_id(),
    messages,
  }
}

function megolm() {
  const draw = new Draw('group')
  const session = new Olm.OutboundGroupSession()
  by(draw, () => session.create())
  const sessionKey = session.session_key()
  const messages: { index: number; plaintext: string; message: string }[] = []
  for (let index = 0; index < 300; index++) {
    const plaintext = `message ${index} · رسالة`
    const message = session.encrypt(plaintext)
    if ([0, 1, 2, 254, 255, 256, 257, 299].includes(index)) messages.push({ index, plaintext, message })
  }
  const inbound = new Olm.InboundGroupSession()
  inbound.create(sessionKey)
  const exports = [0, 1, 255, 256, 65_536, 16_777_216, 16_842_753].map(index => ({
    index,
    exported: inbound.export_session(index),
  }))
  return { random: draw.drawn, sessionId: session.session_id(), sessionKey, messages, exports }
}

function backup() {
  const key = new Draw('backup').take(32)
  const publicKey = new Olm.PkDecryption().init_with_private_key(key)
  return {
    privateKey: key.toString('hex'),
    publicKey,
    sessions: ['', 'x', 'exactly 16 bytes', JSON.stringify({ session_key: 'A'.repeat(300) })].map(
      (plaintext, i) => {
        const draw = new Draw(`ephemeral ${i}`)
        const encryption = new Olm.PkEncryption()
        encryption.set_recipient_key(publicKey)
        const { ciphertext, mac, ephemeral } = by(draw, () => encryption.encrypt(plaintext))
        return { random: draw.drawn, plaintext, sessionData: { ciphertext, mac, ephemeral } }
      },
    ),
  }
}

function attachments() {
  return [0, 1, 15, 16, 17, 1_000].map(size => {
    const draw = new Draw(`attachment ${size}`)
    const key = draw.take(32)
    const iv = Buffer.concat([draw.take(8), Buffer.alloc(8)])
    const plaintext = new Draw(`file ${size}`).take(size)
    const ciphertext = createCipheriv('aes-256-ctr', key, iv).update(plaintext)
    return {
      random: draw.drawn,
      plaintext: plaintext.toString('hex'),
      ciphertext: ciphertext.toString('hex'),
      info: {
        v: 'v2',
        key: {
          kty: 'oct',
          key_ops: ['encrypt', 'decrypt'],
          alg: 'A256CTR',
          k: encodeBase64Url(key),
          ext: true,
        },
        iv: encodeBase64(iv),
        hashes: { sha256: encodeBase64(createHash('sha256').update(ciphertext).digest()) },
      },
    }
  })
}

/** Damages each whole input in ways that parsers stumble over; keeps two of each parser and outcome. */
function corpus(whole: Record<Parser, string>) {
  const kept: { parser: Parser; bytes: string; outcome: string }[] = []
  const counts = new Map<string, number>()
  const draw = new Draw('damage')
  for (const parser of Object.keys(parsers) as Parser[]) {
    const bytes = Buffer.from(whole[parser], 'base64')
    for (let i = 0; i < 3_000; i++) {
      const damaged = i === 0 ? bytes : damage(bytes, draw)
      const outcome = outcomeOf(parser, damaged)
      const kind = `${parser} ${outcome}`
      const count = counts.get(kind) ?? 0
      counts.set(kind, count + 1)
      if (count < 2) kept.push({ parser, bytes: damaged.toString('hex'), outcome })
    }
  }
  return kept
}

function damage(whole: Buffer, draw: Draw): Buffer {
  const [kind, a, b, c] = draw.take(4)
  const at = (a! * 256 + b!) % Math.min(whole.length, kind! & 1 ? 64 : whole.length)
  switch (kind! % 5) {
    case 0:
      return whole.subarray(0, at)
    case 1:
      return Buffer.concat([whole.subarray(0, at), Buffer.from([c!]), whole.subarray(at)])
    case 2:
      return Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)])
    case 3:
      return Buffer.concat([whole.subarray(0, at), Buffer.alloc(6, 0xff), whole.subarray(at)])
    default:
      return Buffer.from(whole.with(at, c!))
  }
}

const vectors = { olm: olm(), megolm: megolm(), backup: backup(), attachment: attachments() }
for (const [name, value] of Object.entries(vectors)) write(`test/vectors/${name}.json`, value)
mkdirSync(join(root, 'test/corpus/e2ee'), { recursive: true })
write(
  'test/corpus/e2ee/broken.json',
  corpus({
    'olm message': vectors.olm.messages.find(({ type }) => type === 1)!.body,
    'olm pre-key message': vectors.olm.messages[0]!.body,
    'megolm message': vectors.megolm.messages[0]!.message,
    'megolm session key': vectors.megolm.sessionKey,
    'megolm exported key': vectors.megolm.exports[0]!.exported,
  }),
)
