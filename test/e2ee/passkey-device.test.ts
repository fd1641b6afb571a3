import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import { parseCoseKey, rawEcdsaSignature, verifyWithCoseKey } from '../../pwa/e2ee/cose-key.ts'
import { deviceTrust } from '../../pwa/e2ee/cross-signing.ts'
import { E2eeError } from '../../pwa/e2ee/errors.ts'
import { signAsDevice } from '../../pwa/e2ee/own-device.ts'
import {
  assertionMember,
  beginEnrolment,
  completeEnrolment,
  enrolmentOf,
  passkeysMember,
  receivePasskeyLists,
  signPasskeyList,
} from '../../pwa/e2ee/passkey-device.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import { expectSigningKey } from '../../pwa/e2ee/secrets.ts'
import { Passkey, sha256 } from '../support/passkey.ts'
import { alice, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

const origin = { rpId: 'letro.test', origins: ['https://letro.test'] }

/** Bob's device, enrolled (or not quite), and Alice, who looks at it. */
async function enrol(
  passkey: Passkey,
  gesture: Parameters<Passkey['assert']>[1] = {},
  listed = [passkey.listed],
) {
  const host = await new Host(bob, 'B').withIdentity()
  await host.run(step => signPasskeyList(step, host, listed))
  const { nonce, challenge, deviceKeys } = await host.run(step => beginEnrolment(step, host))
  const assertion = passkey.assert(challenge, gesture)
  await host.run(step => completeEnrolment(step, host, { nonce, deviceKeys, assertion }, origin))
  return { host, nonce, deviceKeys, assertion }
}

const published = (host: Host) =>
  (host.records.get(`device-list\n${bob}`)!['devices'] as JsonObject)['B'] as JsonObject

async function seenBy(viewer: Host, host: Host, deviceKeys: JsonObject = published(host)) {
  const identity = host.records.get(`identity\n${bob}`)!
  await viewer.run(step => step.put('identity', bob, { ...identity, verifiedKey: null }))
  await viewer.knows(bob, deviceKeys)
  await viewer.run(step => receivePasskeyLists(step, bob))
  return viewer.run(step => enrolmentOf(step, bob, 'B', origin))
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  test(`a device enrolled with a passkey of ${algorithm} is shown as such to others`, async t => {
    const { host } = await enrol(new Passkey(algorithm))
    const viewer = await new Host(alice, 'A').withIdentity()
    t.deepEqual(await seenBy(viewer, host), {
      kind: 'enrolled',
      credentialId: 'cred',
      name: 'Yubi',
      hardwareBound: 'says-it-is',
    })
    // Uploaded anew, and signed anew by the owner.
    t.is(host.take('keys-upload').length, 1)
    t.is(await viewer.run(step => deviceTrust(step, viewer, bob, 'B')), 'cross-signed')
  })
}

test('a passkey that may be on several devices is called synced', async t => {
  const { host } = await enrol(new Passkey(), { flags: 0x1d })
  t.like(await seenBy(new Host(alice, 'A'), host), { hardwareBound: 'synced' })
})

for (const [what, gesture, code] of [
  ['at another site', { client: { origin: 'https://evil.test' } }, 'PASSKEY_WRONG_ORIGIN'],
  ['in a frame of another site', { client: { crossOrigin: true } }, 'PASSKEY_WRONG_ORIGIN'],
  ['of another rpId', { rpId: 'evil.test' }, 'PASSKEY_WRONG_SITE'],
  ['without the person verified', { flags: 0x01 }, 'PASSKEY_NO_USER'],
  ['without the person there', { flags: 0x04 }, 'PASSKEY_NO_USER'],
  ['backed up though it cannot be', { flags: 0x15 }, 'PASSKEY_MALFORMED'],
  ['to create a passkey', { client: { type: 'webauthn.create' } }, 'PASSKEY_WRONG_TYPE'],
  ['for another challenge', { client: { challenge: 'AAAA' } }, 'PASSKEY_OTHER_DEVICE'],
  ['with its data cut off', { trim: 1 }, 'PASSKEY_MALFORMED'],
] as [string, Parameters<Passkey['assert']>[1], string][]) {
  test(`a gesture ${what} enrols nothing`, async t => {
    await t.throwsAsync(enrol(new Passkey(), gesture), { code })
  })
}

test('a passkey that is not listed, or another one under its id, enrols nothing', async t => {
  const [passkey, other] = [new Passkey(), new Passkey()]
  await t.throwsAsync(enrol(passkey, {}, []), { code: 'PASSKEY_NOT_LISTED' })
  await t.throwsAsync(enrol(passkey, {}, [other.listed]), { code: 'PASSKEY_BAD_SIGNATURE' })
  const weak = { ...passkey.listed, publicKey: 'AAAA' }
  await t.throwsAsync(enrol(passkey, {}, [weak]), { code: 'COSE_KEY_MALFORMED' })
})

test('an assertion does not move to another device, nor to other keys of the same one', async t => {
  const { host } = await enrol(new Passkey())
  const { [assertionMember]: assertion, [passkeysMember]: passkeys } = published(host)
  const other = new Host(bob, 'B', { [assertionMember]: assertion, [passkeysMember]: passkeys })
  const selfSigning = await host.run(step => expectSigningKey(step, 'm.cross_signing.self_signing'))
  const viewer = new Host(alice, 'A')
  t.deepEqual(await seenBy(viewer, host, selfSigning.sign(other.deviceKeys, bob)), {
    kind: 'invalid',
    code: 'PASSKEY_OTHER_DEVICE',
  })
  // Not signed by its owner, it says nothing at all.
  t.deepEqual(await seenBy(viewer, host, other.deviceKeys), { kind: 'invalid', code: 'DEVICE_NOT_SIGNED' })
})

test('a list that the master key did not sign does not count, nor one older than we saw', async t => {
  const passkey = new Passkey()
  const { host } = await enrol(passkey)
  const viewer = new Host(alice, 'A')
  t.like(await seenBy(viewer, host), { kind: 'enrolled' })
  const old = published(host)
  // The passkey is taken off the list; the server shows the old device keys again.
  const list = await host.run(step => signPasskeyList(step, host, []))
  const selfSigning = await host.run(step => expectSigningKey(step, 'm.cross_signing.self_signing'))
  const { signatures: _signatures, ...unsigned } = old
  const renewed = selfSigning.sign(signAsDevice(host, { ...unsigned, [passkeysMember]: list }), bob)
  t.deepEqual(await seenBy(viewer, host, renewed), { kind: 'invalid', code: 'PASSKEY_NOT_LISTED' })
  t.deepEqual(await seenBy(viewer, host, old), { kind: 'invalid', code: 'PASSKEY_NOT_LISTED' })
  const forger = new Person(bob)
  const { signatures: _old, ...bare } = published(host)[passkeysMember] as JsonObject
  const forged = forger.master.sign({ ...bare, serial: 9 } as JsonObject, bob)
  await seenBy(viewer, host, { ...old, [passkeysMember]: forged })
  t.is(viewer.records.get(`identity\npasskeys:${bob}`)!['serial'], 2)
})

test('a device that says nothing of passkeys is none', async t => {
  const host = await new Host(bob, 'B').withIdentity()
  t.deepEqual(await seenBy(new Host(alice, 'A'), host), { kind: 'none' })
})

test('a list that others would refuse is not signed', async t => {
  const host = await new Host(bob, 'B').withIdentity()
  const long = { credentialId: 'x', publicKey: 'y', name: 'n'.repeat(201) }
  await t.throwsAsync(
    host.run(step => signPasskeyList(step, host, [long])),
    { code: 'PASSKEYS_MALFORMED' },
  )
  await t.throwsAsync(
    host.run(step => beginEnrolment(step, host)),
    { code: 'PASSKEYS_NOT_LISTED' },
  )
})

test('a COSE key that is cut off, too long, repeated, or of another kind is refused', t => {
  const good = new Passkey().publicKey
  t.is(parseCoseKey(good).algorithm, 'ES256')
  for (let length = 0; length < good.length; length++) {
    t.throws(() => parseCoseKey(good.slice(0, length)), { message: /COSE|passkey/ })
  }
  const patched = (at: number, byte: number) => Uint8Array.from(good, (b, i) => (i === at ? byte : b))
  for (const bytes of [
    Uint8Array.from([...good, 0]),
    patched(2, 3), // kty
    patched(4, 0x27), // alg
    patched(6, 2), // crv
    patched(3, 1), // 1 twice
    patched(0, 0xbf), // of indefinite length
    patched(0, 0xb9),
    patched(2, 0x60), // text
    patched(8, 0x5b),
  ]) {
    t.throws(() => parseCoseKey(bytes), { instanceOf: E2eeError })
  }
})

test('an ECDSA signature that is not strict DER does not verify', async t => {
  const passkey = new Passkey()
  const { authenticatorData, clientDataJson, signature } = passkey.assert(new Uint8Array(32))
  const message = Buffer.concat([authenticatorData, sha256(clientDataJson)])
  const key = parseCoseKey(passkey.publicKey)
  t.true(await verifyWithCoseKey(key, message, signature))
  const spoilt = [
    Buffer.concat([signature, Buffer.from([0])]),
    signature.subarray(0, signature.length - 1),
    Buffer.from([]),
    Buffer.from([0x30, 0]),
    Buffer.from('300602010002010000', 'hex'),
    Buffer.from('3006020180020101', 'hex'), // negative
    Buffer.from('300702020001020101', 'hex'), // not the shortest
    Buffer.concat([Buffer.from([0x31]), signature.subarray(1)]),
  ]
  for (const one of spoilt) t.false(await verifyWithCoseKey(key, message, one))
  t.is(rawEcdsaSignature(Buffer.from('3006020101020102', 'hex'))?.[63], 2)
  // A point that is not on the curve.
  const off = { algorithm: 'ES256', x: new Uint8Array(32).fill(1), y: new Uint8Array(32) } as const
  t.false(await verifyWithCoseKey(off, message, signature))
})
