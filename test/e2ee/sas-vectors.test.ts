/** What @matrix-org/olm made (scripts/make-sas-vectors.ts): short authentication strings and their MACs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { curve25519KeyPair, ready } from '../../pwa/e2ee/primitives.ts'
import {
  checkMacs,
  decimalsOf,
  emojiOf,
  type KeyedParty,
  macContent,
  sharedSecret,
  shortAuthenticationString,
} from '../../pwa/e2ee/verification/sas.ts'

test.before(() => ready)

const vectors: SasVector[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../vectors/sas.json'), 'utf8'),
)
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const text = (data: Uint8Array) => Buffer.from(data).toString('base64').replace(/=+$/, '')

interface SasVector {
  readonly starter: KeyedParty
  readonly starterPrivateKey: string
  readonly accepter: KeyedParty
  readonly accepterPrivateKey: string
  readonly transactionId: string
  readonly bytes: string
  readonly keys: Record<string, string>
  readonly mac: JsonObject
}

test('both ends derive the string and the MACs that libolm derives', t => {
  for (const vector of vectors) {
    const { starter, accepter, transactionId } = vector
    t.is(text(curve25519KeyPair(bytes(vector.starterPrivateKey)).publicKey), starter.publicKey)
    for (const secret of [
      sharedSecret(bytes(vector.starterPrivateKey), accepter.publicKey),
      sharedSecret(bytes(vector.accepterPrivateKey), starter.publicKey),
    ]) {
      t.deepEqual(shortAuthenticationString(secret, starter, accepter, transactionId), {
        emoji: emojiOf(bytes(vector.bytes)),
        decimals: decimalsOf(bytes(vector.bytes)),
      })
      t.deepEqual(macContent(secret, starter, accepter, transactionId, vector.keys), vector.mac)
      const right = checkMacs(secret, starter, accepter, transactionId, vector.mac, vector.keys)
      t.deepEqual([...right!], Object.keys(vector.keys))
      // The other way round, and for another verification, they are not right.
      t.is(checkMacs(secret, accepter, starter, transactionId, vector.mac, vector.keys), null)
      t.is(checkMacs(secret, starter, accepter, `${transactionId}x`, vector.mac, vector.keys), null)
    }
  }
})

test('bytes become emoji and numbers as the specification’s formulas say', t => {
  // 000001 000010 000011 000100 000101 000110 000111 (six unused bits)
  const data = Uint8Array.from([0x04, 0x20, 0xc4, 0x14, 0x61, 0xc0])
  t.deepEqual(emojiOf(data), [1, 2, 3, 4, 5, 6, 7])
  t.deepEqual(emojiOf(new Uint8Array(6).fill(0xff)), Array(7).fill(63))
  t.deepEqual(decimalsOf(new Uint8Array(6)), [1000, 1000, 1000])
  t.deepEqual(decimalsOf(new Uint8Array(6).fill(0xff)), [9191, 9191, 9191])
  // 0000000000001 0000000000010 0000000000011 0
  t.deepEqual(decimalsOf(Uint8Array.from([0x00, 0x08, 0x00, 0x80, 0x06])), [1001, 1002, 1003])
})
