import test from 'ava'
import type { JsonObject } from '#protocol/json.ts'
import {
  bootstrapCrossSigning,
  deviceTrust,
  importCrossSigningSecret,
  mayReceiveKeys,
  signOwnDevice,
  verifyIdentity,
} from '../../pwa/e2ee/cross-signing.ts'
import {
  acceptIdentity,
  blockedPeople,
  readIdentity,
  receiveIdentities,
  standingOf,
} from '../../pwa/e2ee/identity.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import { readSecret } from '../../pwa/e2ee/secrets.ts'
import { isSignedBy } from '../../pwa/e2ee/signing-key.ts'
import { alice, answer, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

const standing = (host: Host, userId: string) => host.run(step => standingOf(step, host, userId))
const trust = (host: Host, userId: string, deviceId: string) =>
  host.run(step => deviceTrust(step, host, userId, deviceId))

test('the first identity seen is pinned, another one blocks until exactly it is accepted', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const [first, second, third] = [new Person(bob), new Person(bob), new Person(bob)]
  t.is(await standing(host, bob), 'none')
  await host.learns(first)
  t.is(await standing(host, bob), 'pinned')
  await host.learns(second)
  t.is(await standing(host, bob), 'changed')
  t.deepEqual(await host.run(step => blockedPeople(step, host, [alice, bob])), [bob])
  await host.learns(third)
  // The person had the second on the screen.
  const accept = (person: Person) =>
    host.run(step => acceptIdentity(step, host, { userId: bob, masterKey: person.master.publicKey }))
  await t.throwsAsync(accept(second), { code: 'IDENTITY_CHANGED' })
  await accept(third)
  t.is(await standing(host, bob), 'pinned')
  t.deepEqual(await host.run(step => blockedPeople(step, host, [bob])), [])
})

test('the pinned identity coming back is no change', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const [first, second] = [new Person(bob), new Person(bob)]
  for (const person of [first, second, first]) await host.learns(person)
  t.is(await standing(host, bob), 'pinned')
})

test('a verified identity stays verified when the server leaves out our signature or our user-signing key', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const them = new Person(bob)
  await host.learns(them)
  await host.run(step => verifyIdentity(step, host, { userId: bob, masterKey: them.master.publicKey }))
  t.is(await standing(host, bob), 'verified')
  await host.learns(them)
  t.is(await standing(host, bob), 'verified')
  const ours = await host.run(step => readIdentity(step, alice))
  await host.run(step =>
    receiveIdentities(step, host, {
      master_keys: { [alice]: ours!.master },
      self_signing_keys: { [alice]: ours!.selfSigning },
    }),
  )
  t.is(await standing(host, bob), 'verified')
})

test('a verification that another device of ours made is believed, and remembered', async t => {
  const [host, other] = [new Host(alice, 'A'), new Person(alice)]
  const them = new Person(bob)
  await host.learns(other)
  await host.run(step =>
    importCrossSigningSecret(step, host, { name: 'm.cross_signing.master', secret: other.master.toSecret() }),
  )
  them.masterObject = other.userSigning.sign(them.masterObject, alice)
  await host.learns(them)
  t.is(await standing(host, bob), 'verified')
  await host.learns(new Person(bob))
  t.is(await standing(host, bob), 'verification-lost')
})

for (const [what, spoil, code] of [
  ['names another user', p => ({ ...p, user_id: '@carol:letro.test' }), 'IDENTITY_MALFORMED'],
  ['is for another use', p => ({ ...p, usage: ['self_signing'] }), 'IDENTITY_MALFORMED'],
  [
    'has a name that is not its value',
    p => ({ ...p, keys: { 'ed25519:DEVICE': Object.values(p['keys'] as JsonObject)[0]! } }),
    'IDENTITY_MALFORMED',
  ],
  [
    'has two keys',
    p => ({ ...p, keys: { ...(p['keys'] as JsonObject), 'ed25519:X': 'X' } }),
    'IDENTITY_MALFORMED',
  ],
  ['has no keys', p => ({ ...p, keys: {} }), 'IDENTITY_MALFORMED'],
  ['is not an object', () => 'key', 'IDENTITY_MALFORMED'],
] as [string, (object: JsonObject) => JsonObject | string, string][]) {
  test(`a master key that ${what} is refused, and the rest of the answer counts`, async t => {
    const host = new Host(alice, 'A')
    const [them, carol] = [new Person(bob), new Person('@carol:letro.test')]
    const both = answer(them, carol) as { master_keys: JsonObject }
    const spoilt = {
      ...both,
      master_keys: { ...both.master_keys, [bob]: spoil(them.masterObject) },
    } as JsonObject
    await host.run(step => receiveIdentities(step, host, spoilt))
    t.like(
      host.told.find(notice => notice.kind === 'refused'),
      { code, from: bob },
    )
    t.is(await standing(host, bob), 'none')
    t.is(await standing(host, '@carol:letro.test'), 'pinned')
  })
}

test('a self-signing key that the master key did not sign is refused and leaves the person as they were', async t => {
  const host = new Host(alice, 'A')
  const [them, mallory] = [new Person(bob), new Person(bob)]
  await host.learns(them)
  const mixed = {
    ...answer(them),
    self_signing_keys: { [bob]: mallory.selfSigningObject },
  }
  await host.run(step => receiveIdentities(step, host, mixed))
  t.like(host.told.at(-1), { kind: 'refused', code: 'IDENTITY_NOT_SIGNED' })
  const identity = await host.run(step => readIdentity(step, bob))
  t.is(identity?.selfSigningKey, them.selfSigning.publicKey)
})

test('a signed object with a fraction in it is refused like an unsigned one, and the rest of the answer counts', async t => {
  const host = new Host(alice, 'A')
  const [them, carol] = [new Person(bob), new Person('@carol:letro.test')]
  const both = answer(them, carol) as { self_signing_keys: JsonObject }
  const spoilt = { ...them.selfSigningObject, more: 1.5 }
  const self_signing_keys = { ...both.self_signing_keys, [bob]: spoilt }
  await host.run(step => receiveIdentities(step, host, { ...both, self_signing_keys }))
  t.like(
    host.told.find(notice => notice.kind === 'refused'),
    { code: 'IDENTITY_NOT_SIGNED', from: bob },
  )
  t.is(await standing(host, '@carol:letro.test'), 'pinned')
})

test('one key in two roles is refused', async t => {
  const host = new Host(alice, 'A')
  const them = new Person(bob)
  const { keys } = them.masterObject as { keys: JsonObject }
  const doubled = them.master.sign({ user_id: bob, usage: ['self_signing'], keys } as JsonObject, bob)
  await host.run(step =>
    receiveIdentities(step, host, { ...answer(them), self_signing_keys: { [bob]: doubled } }),
  )
  t.like(host.told.at(-1), { kind: 'refused', code: 'IDENTITY_MALFORMED' })
})

test('a device counts as its owner signed it and as the owner stands with us', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const them = new Person(bob)
  const unsigned = new Host(bob, 'U').deviceKeys
  await host.knows(bob, them.device('S'), unsigned, new Person(bob).device('M'))
  t.is(await trust(host, bob, 'S'), 'unsigned')
  await host.learns(them)
  t.is(await trust(host, bob, 'S'), 'cross-signed')
  t.is(await trust(host, bob, 'U'), 'unsigned')
  t.is(await trust(host, bob, 'M'), 'unsigned')
  t.is(await trust(host, bob, 'X'), 'unknown')
  await host.run(step => verifyIdentity(step, host, { userId: bob, masterKey: them.master.publicKey }))
  t.is(await trust(host, bob, 'S'), 'verified')
  t.is(await trust(host, alice, 'A'), 'own')
  t.deepEqual((['unsigned', 'unknown', 'identity-unaccepted'] as const).map(mayReceiveKeys), [
    false,
    false,
    false,
  ])
})

test('bootstrapping sends an identity that is signed from the top down, and signs our device when it was taken', async t => {
  const host = new Host(alice, 'A')
  await host.knows(alice, host.deviceKeys)
  const identity = await host.run(step => bootstrapCrossSigning(step, host))
  const body = host.take('cross-signing-upload')[0]!.body as Record<string, JsonObject>
  t.true(isSignedBy(body['master_key']!, alice, host.account.ed25519Key, 'A'))
  t.true(isSignedBy(body['self_signing_key']!, alice, identity.masterKey))
  t.true(isSignedBy(body['user_signing_key']!, alice, identity.masterKey))
  t.is(await standing(host, alice), 'verified')
  await host.run(step => signOwnDevice(step, host, 'A'))
  const [upload] = host.take('signatures-upload')
  const signed = (upload!.body[alice] as JsonObject)['A'] as JsonObject
  t.true(isSignedBy(signed, alice, identity.selfSigningKey))
  // Signed already: nothing to send a second time.
  await host.run(step => signOwnDevice(step, host, 'A'))
  t.deepEqual(host.take('signatures-upload'), [])
})

test('a device that the server lists under our id with another key is not signed', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  await host.knows(alice, new Host(alice, 'A').deviceKeys)
  t.is(await trust(host, alice, 'A'), 'unsigned')
  await t.throwsAsync(
    host.run(step => signOwnDevice(step, host, 'A')),
    { code: 'DEVICE_NOT_OURS' },
  )
})

test('a secret that does not make our public key is refused; the right one proves the identity ours', async t => {
  const [host, us] = [new Host(alice, 'A'), new Person(alice)]
  await host.knows(alice, host.deviceKeys)
  const bring = (name: Parameters<typeof importCrossSigningSecret>[2]['name'], secret: string) =>
    host.run(step => importCrossSigningSecret(step, host, { name, secret }))
  await t.throwsAsync(bring('m.cross_signing.master', us.master.toSecret()), { code: 'IDENTITY_UNKNOWN' })
  await host.learns(us)
  t.is(await standing(host, alice), 'pinned')
  await t.throwsAsync(bring('m.cross_signing.master', us.selfSigning.toSecret()), { code: 'SECRET_MISMATCH' })
  await t.throwsAsync(bring('m.cross_signing.master', 'AAAA'), { code: 'SECRET_BAD_LENGTH' })
  await bring('m.cross_signing.self_signing', us.selfSigning.toSecret())
  t.is(await standing(host, alice), 'pinned')
  await bring('m.cross_signing.master', us.master.toSecret())
  t.is(await standing(host, alice), 'verified')
  t.is(await trust(host, alice, 'A'), 'own')
  const uploads = host.take('signatures-upload').map(({ body }) => Object.keys(body[alice] as JsonObject))
  t.deepEqual(uploads, [['A'], [us.master.publicKey]])
})

test('when our identity is replaced, the secrets of the old one are forgotten', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  t.truthy(await host.run(step => readSecret(step, 'm.cross_signing.master')))
  await host.learns(new Person(alice))
  t.is(await standing(host, alice), 'verification-lost')
  t.is(await host.run(step => readSecret(step, 'm.cross_signing.master')), null)
  await t.throwsAsync(
    host.run(step => acceptIdentity(step, host, { userId: alice, masterKey: 'x' })),
    { code: 'IDENTITY_CHANGED' },
  )
})

test('a private key does not show in JSON', t => {
  const { master } = new Person(bob)
  t.deepEqual(JSON.parse(JSON.stringify(master)), { publicKey: master.publicKey })
})
