/** Wycheproof (shared/vectors/wycheproof), for every primitive that the client calls. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { verifyWithCoseKey } from '../../pwa/e2ee/cose-key.ts'
import {
  aesCbcDecrypt,
  aesCbcEncrypt,
  curve25519SharedSecret,
  ed25519Verify,
  hkdfSha256,
  hmacSha256,
  open,
  ready,
} from '../../pwa/e2ee/primitives.ts'
import { sharedFolder } from '../support/shared-folder.ts'

interface Case extends Record<string, string | number | readonly string[]> {
  readonly tcId: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

interface Group extends Record<string, unknown> {
  readonly tests: readonly Case[]
}

test.before(() => ready)

const hex = (value: unknown) => new Uint8Array(Buffer.from(String(value), 'hex'))
const toHex = (bytes: Uint8Array | null) => (bytes ? Buffer.from(bytes).toString('hex') : null)

/** Runs every case of a file; says how many there were, so that an empty file fails. */
async function each(
  t: ExecutionContext,
  file: string,
  check: (one: Case, group: Group) => unknown,
  atLeast: number,
): Promise<void> {
  const path = join(sharedFolder(), 'vectors/wycheproof', file)
  const groups: Group[] = JSON.parse(readFileSync(path, 'utf8')).testGroups
  let count = 0
  for (const group of groups) {
    for (const one of group.tests) if ((await check(one, group)) !== null) count++
  }
  t.true(count >= atLeast, `${count} cases`)
}

const say = ({ tcId, comment }: Case) => `${tcId}: ${comment}`

test('X25519: shared secrets, and no point of small order', t =>
  each(
    t,
    'x25519_test.json',
    one => {
      const isZero = one.flags.includes('ZeroSharedSecret') || /^0*$/.test(String(one['shared']))
      const agree = () => curve25519SharedSecret(hex(one['private']), hex(one['public']))
      if (isZero) t.throws(agree, { code: 'NON_CONTRIBUTORY_KEY' }, say(one))
      else t.is(toHex(agree()), String(one['shared']), say(one))
    },
    500,
  ))

test('Ed25519: good signatures, none that is malleable or not one', t =>
  each(
    t,
    'ed25519_test.json',
    (one, group) => {
      const { pk } = group['publicKey'] as { pk: string }
      t.is(ed25519Verify(hex(one['msg']), hex(one['sig']), hex(pk)), one.result === 'valid', say(one))
    },
    150,
  ))

test('HMAC-SHA-256', t =>
  each(
    t,
    'hmac_sha256_test.json',
    (one, group) => {
      const tag = toHex(hmacSha256(hex(one['key']), hex(one['msg'])))!.slice(0, Number(group['tagSize']) / 4)
      t.is(tag === one['tag'], one.result === 'valid', say(one))
    },
    170,
  ))

test('HKDF-SHA-256', t =>
  each(
    t,
    'hkdf_sha256_test.json',
    one => {
      const derive = () =>
        hkdfSha256(hex(one['ikm']), hex(one['salt']), hex(one['info']), Number(one['size']))
      if (one.result === 'valid') t.is(toHex(derive()), String(one['okm']), say(one))
      else t.throws(derive, { instanceOf: RangeError }, say(one))
    },
    80,
  ))

test('AES-CBC with PKCS#7 padding', t =>
  each(
    t,
    'aes_cbc_pkcs5_test.json',
    async (one, group) => {
      if (group['keySize'] !== 256) return null
      const [key, iv, message, ciphertext] = ['key', 'iv', 'msg', 'ct'].map(name => hex(one[name]))
      if (one.result === 'valid') {
        t.is(toHex(await aesCbcDecrypt(key!, iv!, ciphertext!)), String(one['msg']), say(one))
        t.is(toHex(await aesCbcEncrypt(key!, iv!, message!)), String(one['ct']), say(one))
      } else await t.throwsAsync(aesCbcDecrypt(key!, iv!, ciphertext!), { code: 'BAD_PADDING' }, say(one))
      return undefined
    },
    70,
  ))

test('XChaCha20-Poly1305', t =>
  each(
    t,
    'xchacha20_poly1305_test.json',
    (one, group) => {
      // Ours always has a nonce of 24 bytes.
      if (group['ivSize'] !== 192) return null
      const sealed = hex(`${one['iv']}${one['ct']}${one['tag']}`)
      const opened = toHex(open(hex(one['key']), sealed, hex(one['aad'])))
      t.is(opened, one.result === 'valid' ? String(one['msg']) : null, say(one))
      return undefined
    },
    280,
  ))

test('ECDSA on P-256, as passkeys sign', t =>
  each(
    t,
    'ecdsa_secp256r1_sha256_test.json',
    async (one, group) => {
      const { wx, wy } = group['publicKey'] as { wx: string; wy: string }
      const key = { algorithm: 'ES256', x: coordinate(wx), y: coordinate(wy) } as const
      t.is(await verifyWithCoseKey(key, hex(one['msg']), hex(one['sig'])), one.result === 'valid', say(one))
    },
    480,
  ))

/** 32 bytes of an integer that is written with a leading zero, or without. */
function coordinate(text: string): Uint8Array {
  return hex(text.padStart(64, '0').slice(-64))
}
