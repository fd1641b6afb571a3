import test from 'ava'
import { acceptIdentity } from '../../pwa/e2ee/identity.ts'
import { ready } from '../../pwa/e2ee/primitives.ts'
import {
  admitNewcomer,
  beginRoom,
  memberLeft,
  signInvite,
  undecidedNewcomers,
} from '../../pwa/e2ee/signed-invite.ts'
import { alice, bob, Host, Person } from './identity-world.ts'

test.before(() => ready)

const room = '!room:letro.test'
const undecided = (host: Host, ...userIds: string[]) =>
  host.run(step => undecidedNewcomers(step, host, room, userIds))

test('who was there when we came to know the room counts as let in, once; we ourselves always', async t => {
  const host = new Host(alice, 'A')
  t.deepEqual(await undecided(host, alice, bob), [bob])
  await host.run(step => beginRoom(step, { roomId: room, userIds: [bob] }))
  t.deepEqual(await undecided(host, alice, bob), [])
  await host.run(step => beginRoom(step, { roomId: room, userIds: ['@late:letro.test'] }))
  t.deepEqual(await undecided(host, '@late:letro.test'), ['@late:letro.test'])
})

test('whoever left has to be let in again', async t => {
  const host = new Host(alice, 'A')
  await host.run(step => beginRoom(step, { roomId: room, userIds: [bob] }))
  await host.run(step => memberLeft(step, { roomId: room, userId: bob }))
  t.deepEqual(await undecided(host, bob), [bob])
  await host.run(step => admitNewcomer(step, { roomId: room, userId: bob, masterKey: null }))
  t.deepEqual(await undecided(host, bob), [])
})

test('we vouch only for an identity that we would encrypt to', async t => {
  const host = await new Host(alice, 'A').withIdentity()
  const sign = () => host.run(step => signInvite(step, host, { roomId: room, userId: bob }))
  await t.throwsAsync(sign(), { code: 'IDENTITY_UNKNOWN' })
  await host.learns(new Person(bob))
  const second = new Person(bob)
  await host.learns(second)
  await t.throwsAsync(sign(), { code: 'IDENTITY_CHANGED' })
  await host.run(step => acceptIdentity(step, host, { userId: bob, masterKey: second.master.publicKey }))
  await sign()
  // Whom we invited ourselves is let in.
  t.deepEqual(await undecided(host, bob), [])
  const third = new Person(bob)
  await host.learns(third)
  t.deepEqual(await undecided(host, bob), [bob])
  await host.run(step => acceptIdentity(step, host, { userId: bob, masterKey: third.master.publicKey }))
  t.deepEqual(await undecided(host, bob), [], 'who is still the same person has not to be let in again')
  await host.learns(new Person(bob))
  t.deepEqual(await undecided(host, bob), [bob])
})
