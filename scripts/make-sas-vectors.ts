/**
 * `node scripts/make-sas-vectors.ts`: writes test/vectors/sas.json with the library that defined short authentication
 * strings, @matrix-org/olm. Its randomness is replaced by a counter, so that a second run writes the same.
 */
import { createHash, webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Olm from '@matrix-org/olm'

const folder = join(import.meta.dirname, '../test/vectors')
const count = 24
let drawn = 0
/** What the library drew last: a private key. */
let last = Buffer.alloc(0)

const draw = (array: Uint8Array): Uint8Array => {
  last = createHash('sha256').update(`draw ${drawn++}`).digest().subarray(0, array.length)
  array.set(last)
  return array
}
// In Node the library takes either of the two.
webcrypto.getRandomValues = draw as typeof webcrypto.getRandomValues
const nodeCrypto = process.getBuiltinModule('node:crypto')
nodeCrypto.randomBytes = ((size: number) => Buffer.from(draw(new Uint8Array(size)))) as never

await Olm.init()
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** A name in several scripts: the specification joins them with bars and hashes their UTF-8. */
const names = ['@alice:letro.test', '@bob:letro.test', '@سلمى:letro.test', '@a|b:letro.test']

const sas = Array.from({ length: count }, (_, i) => {
  const starter = new Olm.SAS()
  const starterPrivateKey = base64(last)
  const accepter = new Olm.SAS()
  const accepterPrivateKey = base64(last)
  const party = (offset: number, key: string) => ({
    userId: names[(i + offset) % names.length]!,
    deviceId: `DEVICE${(i * 7 + offset) % 11}`,
    publicKey: key,
  })
  const [from, to] = [party(0, starter.get_pubkey()), party(1, accepter.get_pubkey())]
  starter.set_their_key(to.publicKey)
  const transactionId = `$transaction${i}`
  const ends = [from, to].flatMap(({ userId, deviceId, publicKey }) => [userId, deviceId, publicKey])
  const info = ['MATRIX_KEY_VERIFICATION_SAS', ...ends, transactionId].join('|')
  const key = base64(createHash('sha256').update(`key ${i}`).digest())
  const macOf = (text: string, keyId: string) =>
    starter.calculate_mac_fixed_base64(
      text,
      `MATRIX_KEY_VERIFICATION_MAC${from.userId}${from.deviceId}${to.userId}${to.deviceId}${transactionId}${keyId}`,
    )
  const keyId = `ed25519:${from.deviceId}`
  const vector = {
    starter: from,
    starterPrivateKey,
    accepter: to,
    accepterPrivateKey,
    transactionId,
    bytes: base64(starter.generate_bytes(info, 6)),
    keys: { [keyId]: key },
    mac: { mac: { [keyId]: macOf(key, keyId) }, keys: macOf(keyId, 'KEY_IDS') },
  }
  starter.free()
  accepter.free()
  return vector
})
writeFileSync(join(folder, 'sas.json'), `${JSON.stringify(sas, null, 2)}\n`)
