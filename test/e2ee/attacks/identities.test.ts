/** Attacks 12 and 18 of the list: what a server does with identities that it controls. */
import test from 'ava'
import { deviceTrust, mayReceiveKeys, verifyIdentity } from '../../../pwa/e2ee/cross-signing.ts'
import { acceptIdentity, blockedPeople, standingOf } from '../../../pwa/e2ee/identity.ts'
import { ready } from '../../../pwa/e2ee/primitives.ts'
import { alice, bob, Host, Person } from '../identity-world.ts'

test.before(() => ready)

test('attack 12: while our own identity is unverified, nobody counts as verified', async t => {
  // The server shows this new device an identity of its own making, which "verified" Bob.
  const host = new Host(alice, 'A')
  const [madeUp, them] = [new Person(alice), new Person(bob)]
  them.masterObject = madeUp.userSigning.sign(them.masterObject, alice)
  await host.learns(madeUp, them)
  await host.knows(bob, them.device('B'))
  await host.knows(alice, host.deviceKeys, madeUp.device('MALLORY'))
  const standing = (userId: string) => host.run(step => standingOf(step, host, userId))
  t.is(await standing(alice), 'pinned')
  t.is(await standing(bob), 'pinned')
  t.is(await host.run(step => deviceTrust(step, host, bob, 'B')), 'cross-signed')
  // Nor does it vouch for a device of ours.
  t.false(mayReceiveKeys(await host.run(step => deviceTrust(step, host, alice, 'MALLORY'))))
  const verify = host.run(step =>
    verifyIdentity(step, host, { userId: bob, masterKey: them.master.publicKey }),
  )
  await t.throwsAsync(verify, { code: 'SECRET_MISSING' })
})

test('attack 18: a changed identity gets nothing until it is accepted, a compared one until it is compared again', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const [first, second, third] = [new Person(bob), new Person(bob), new Person(bob)]
  const become = async (person: Person) => {
    await host.learns(person)
    await host.knows(bob, person.device('B'))
  }
  const mayReceive = async () =>
    mayReceiveKeys(await host.run(step => deviceTrust(step, host, bob, 'B'))) &&
    (await host.run(step => blockedPeople(step, host, [bob]))).length === 0
  await become(first)
  t.true(await mayReceive())
  await become(second)
  t.false(await mayReceive())
  const input = { userId: bob, masterKey: second.master.publicKey }
  await host.run(step => acceptIdentity(step, host, input))
  t.true(await mayReceive())
  await host.run(step => verifyIdentity(step, host, input))
  await become(third)
  t.is(await host.run(step => standingOf(step, host, bob)), 'verification-lost')
  t.false(await mayReceive())
  await host.run(step => verifyIdentity(step, host, { userId: bob, masterKey: third.master.publicKey }))
  t.is(await host.run(step => standingOf(step, host, bob)), 'verified')
  t.true(await mayReceive())
})
