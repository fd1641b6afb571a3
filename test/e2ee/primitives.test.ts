/** Our use of libsodium's memory against Node's own cryptography, at every length where a block or the memory ends. */
import { createHmac, hkdfSync } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { decodeSecret, encodeSecret, hkdfSha256, hmacSha256, ready } from '../../pwa/e2ee/primitives.ts'

test.before(() => ready)

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })

test('HMAC is Node’s for any key and message', t => {
  fc.assert(
    fc.property(bytes(200), bytes(300), (key, message) => {
      t.deepEqual(Buffer.from(hmacSha256(key, message)), createHmac('sha256', key).update(message).digest())
    }),
  )
  const large = new Uint8Array(300_000).fill(7)
  t.deepEqual(Buffer.from(hmacSha256(large, large)), createHmac('sha256', large).update(large).digest())
  t.deepEqual(
    Buffer.from(hmacSha256(large.subarray(0, 1), 'é')),
    createHmac('sha256', '\x07').update('é').digest(),
  )
})

test('HKDF is Node’s for any input and length', t => {
  fc.assert(
    fc.property(
      bytes(150),
      bytes(100),
      bytes(60),
      fc.integer({ min: 1, max: 300 }),
      (key, salt, info, length) => {
        const theirs = hkdfSync('sha256', key, salt, info, length)
        t.deepEqual(Buffer.from(hkdfSha256(key, salt, info, length)), Buffer.from(theirs))
      },
    ),
  )
  t.throws(() => hkdfSha256(new Uint8Array(32), new Uint8Array(0), '', 255 * 32 + 1), {
    instanceOf: RangeError,
  })
})

test('a secret comes back from its text, padded or not', t => {
  fc.assert(
    fc.property(bytes(400), secret => {
      const text = encodeSecret(secret)
      t.is(text, secret.toBase64({ omitPadding: true }))
      t.deepEqual(decodeSecret(text), secret)
      t.deepEqual(decodeSecret(secret.toBase64()), secret)
    }),
  )
})

test('what is not base64 is no secret', t => {
  for (const text of ['A', 'AAAAA', 'AB', 'A-_A', 'AA A', 'AAAA\n', 'AA=A', 'é', 'AAA\0', '\ud800', '?']) {
    t.is(decodeSecret(text), null, JSON.stringify(text))
  }
  t.deepEqual(decodeSecret(''), new Uint8Array(0))
})

test('what one call leaves behind, the next does not see', t => {
  const key = new Uint8Array(32).fill(1)
  const expected = Buffer.from(hmacSha256(key, 'words'))
  hkdfSha256(new Uint8Array(3_000).fill(2), key, 'info', 64)
  decodeSecret('?'.repeat(5_000))
  encodeSecret(new Uint8Array(9_000).fill(3))
  t.deepEqual(Buffer.from(hmacSha256(key, 'words')), expected)
})
