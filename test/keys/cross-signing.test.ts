import test from 'ava'
import { parseCrossSigningKeys, type SignedKey } from '../../server/keys/cross-signing.ts'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { Position } from '../../server/store/store.ts'
import {
  alice,
  bob,
  carol,
  type Directory,
  Identity,
  openDirectory,
  room1,
  Signer,
  signIn,
} from './people.ts'

const member = (userId: UserId) => ({ userId, kind: 'member' }) as const

async function upload(
  { keys, devices }: Directory,
  userId: UserId,
  body: JsonObject,
  authenticated = false,
): Promise<void> {
  devices.add(userId, 'UPLOADER' as DeviceId)
  const parsed = parseCrossSigningKeys(body, userId)
  await keys.needsAuthentication(userId, parsed)
  await keys.uploadCrossSigningKeys(userId, parsed, authenticated)
}

async function seenBy({ keys }: Directory, viewer: UserId, userId: UserId) {
  const answer = await keys.query(member(viewer), new Map([[userId, []]]))
  return {
    devices: answer.device_keys[userId]!,
    master: answer.master_keys[userId],
    selfSigning: answer.self_signing_keys[userId],
    userSigning: answer.user_signing_keys[userId],
  }
}

/** Alice and Bob, each with a device and an identity, in one room. */
async function twoPeople() {
  const directory = await openDirectory()
  const people = new Map<UserId, { identity: Identity; device: Awaited<ReturnType<typeof signIn>> }>()
  for (const userId of [alice, bob]) {
    const device = await signIn(directory, userId, userId === alice ? 'A' : 'B')
    const identity = new Identity(userId)
    await upload(directory, userId, identity.upload())
    await directory.rooms.set(room1, userId, 'join')
    people.set(userId, { identity, device })
  }
  return { directory, a: people.get(alice)!, b: people.get(bob)! }
}

test('others see the master and the self-signing key; the user-signing key is seen by its owner alone', async t => {
  const { directory, a } = await twoPeople()
  const uploaded = a.identity.upload()
  const own = await seenBy(directory, alice, alice)
  t.deepEqual(
    [own.master, own.selfSigning, own.userSigning],
    [uploaded.master_key, uploaded.self_signing_key, uploaded.user_signing_key],
  )
  const others = await seenBy(directory, bob, alice)
  t.deepEqual(
    [others.master, others.selfSigning, others.userSigning],
    [uploaded.master_key, uploaded.self_signing_key, undefined],
  )
})

test('the first keys need no further authentication, the same keys again neither, others do', async t => {
  const directory = await openDirectory()
  const { keys } = directory
  const identity = new Identity(alice)
  const needs = (body: JsonObject) => keys.needsAuthentication(alice, parseCrossSigningKeys(body, alice))
  t.false(await needs(identity.upload()))
  await upload(directory, alice, identity.upload())
  t.false(await needs(identity.upload()))
  t.false(await needs({ master_key: identity.upload().master_key }))
  t.true(await needs(new Identity(alice).upload()))
  const selfSigning = identity.master.sign(identity.key('self_signing', new Signer()), alice)
  t.true(await needs({ self_signing_key: selfSigning }))
  t.true(await needs({ ...identity.upload(), self_signing_key: selfSigning }))
})

test('of two first uploads at the same time, without authentication one is taken', async t => {
  const directory = await openDirectory({ slow: true })
  const [one, two] = [new Identity(alice), new Identity(alice)]
  const results = await Promise.allSettled([
    upload(directory, alice, one.upload()),
    upload(directory, alice, two.upload()),
  ])
  t.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.is(results.find(result => result.status === 'rejected')?.reason.code, 'M_FORBIDDEN')
})

test('the same keys again tell nobody anything', async t => {
  const { directory, a } = await twoPeople()
  const before = directory.store.durablePosition
  await upload(directory, alice, a.identity.upload())
  t.is(directory.store.durablePosition, before)
})

test('a new master key takes away what the old one had signed', async t => {
  const { directory } = await twoPeople()
  const next = new Identity(alice)
  await upload(directory, alice, { master_key: next.upload().master_key }, true)
  const seen = await seenBy(directory, alice, alice)
  t.deepEqual(
    [seen.master, seen.selfSigning, seen.userSigning],
    [next.upload().master_key, undefined, undefined],
  )
})

const identity = new Identity(alice)
const good = identity.upload()
const refusals: [string, string, JsonObject][] = [
  ['no master key, now or before', 'M_MISSING_PARAM', { self_signing_key: good.self_signing_key }],
  ['nothing at all', 'M_MISSING_PARAM', {}],
  ['no object', 'M_BAD_JSON', { ...good, master_key: 'x' }],
  ['another user', 'M_INVALID_PARAM', new Identity(bob).upload()],
  ['another usage', 'M_INVALID_PARAM', { ...good, master_key: good.self_signing_key }],
  ['no key', 'M_INVALID_PARAM', { ...good, master_key: { ...good.master_key, keys: {} } }],
  [
    'two keys',
    'M_INVALID_PARAM',
    {
      ...good,
      master_key: {
        ...good.master_key,
        keys: {
          ...(good.master_key['keys'] as JsonObject),
          ...(good.self_signing_key['keys'] as JsonObject),
        },
      },
    },
  ],
  [
    'a key under another name',
    'M_INVALID_PARAM',
    { ...good, master_key: { ...good.master_key, keys: { 'ed25519:x': identity.master.publicKey } } },
  ],
  [
    'a self-signing key without a signature',
    'M_INVALID_SIGNATURE',
    { ...good, self_signing_key: identity.key('self_signing', identity.selfSigning) },
  ],
  [
    'a user-signing key that another master key signed',
    'M_INVALID_SIGNATURE',
    {
      ...good,
      user_signing_key: new Signer().sign(
        identity.key('user_signing', identity.userSigning),
        alice,
        identity.master.publicKey,
      ),
    },
  ],
  [
    'one key for two uses',
    'M_INVALID_PARAM',
    { ...good, self_signing_key: identity.master.sign(identity.key('self_signing', identity.master), alice) },
  ],
]
for (const [what, code, body] of refusals) {
  test(`cross-signing keys are refused: ${what}`, async t => {
    const directory = await openDirectory()
    await t.throwsAsync(upload(directory, alice, body), { code })
    t.is((await directory.keys.query(member(alice), new Map([[alice, []]]))).master_keys[alice], undefined)
  })
}

test('a cross-signing key and a device of the same name cannot stand beside each other', async t => {
  const directory = await openDirectory()
  const one = new Identity(alice)
  await signIn(directory, alice, one.selfSigning.publicKey)
  await t.throwsAsync(upload(directory, alice, one.upload()), {
    code: 'M_FORBIDDEN',
    message: /self_signing_key has the id/,
  })
  const two = new Identity(alice)
  await upload(directory, alice, two.upload())
  await t.throwsAsync(signIn(directory, alice, two.master.publicKey), { code: 'M_FORBIDDEN' })
  const taken = (id: string) =>
    directory.store.read(view => directory.keys.isCrossSigningKey(view, alice, id))
  t.true(await taken(two.master.publicKey))
  t.false(await taken('PHONE'))
})

// ── signatures ───────────────────────────────────────────────────────────────────────────────────────

const sign = (userId: UserId, keyId: string, object: JsonObject): SignedKey => ({ userId, keyId, object })

test('the self-signing key signs an own device: everybody sees it', async t => {
  const { directory, a } = await twoPeople()
  const signed = a.identity.selfSigning.sign(a.device.deviceKeys(), alice)
  const before = directory.store.durablePosition
  t.deepEqual(await directory.keys.uploadSignatures(alice, [sign(alice, 'A', signed)]), [])
  t.deepEqual((await seenBy(directory, bob, alice)).devices['A']!['signatures'], signed['signatures'])
  const { changed } = await directory.keys.deviceListChanges(bob, before, directory.store.durablePosition)
  t.deepEqual(changed, [alice])
  // And it stays when the device uploads its keys once more.
  await directory.keys.upload(alice, a.device.deviceId, { device_keys: a.device.deviceKeys() })
  t.deepEqual((await seenBy(directory, bob, alice)).devices['A']!['signatures'], signed['signatures'])
})

test('an own device signs the master key: everybody sees it', async t => {
  const { directory, a } = await twoPeople()
  const signed = a.device.sign(a.identity.key('master', a.identity.master))
  t.deepEqual(
    await directory.keys.uploadSignatures(alice, [sign(alice, a.identity.master.publicKey, signed)]),
    [],
  )
  t.deepEqual((await seenBy(directory, bob, alice)).master, signed)
})

test('a user-signing signature about another person is seen by its maker alone, and only they look again', async t => {
  const { directory, a, b } = await twoPeople()
  await directory.rooms.set(room1, carol, 'join')
  const signed = a.identity.userSigning.sign(b.identity.key('master', b.identity.master), alice)
  const before = directory.store.durablePosition
  t.deepEqual(
    await directory.keys.uploadSignatures(alice, [sign(bob, b.identity.master.publicKey, signed)]),
    [],
  )
  t.deepEqual((await seenBy(directory, alice, bob)).master, signed)
  t.deepEqual((await seenBy(directory, bob, bob)).master, b.identity.upload().master_key)
  t.deepEqual((await seenBy(directory, carol, bob)).master, b.identity.upload().master_key)
  const changes = async (userId: UserId) =>
    (await directory.keys.deviceListChanges(userId, before, directory.store.durablePosition)).changed
  t.deepEqual([await changes(alice), await changes(bob), await changes(carol)], [[bob], [], []])
  // Bob's next master key was not signed by anybody.
  await upload(directory, bob, new Identity(bob).upload(), true)
  t.is((await seenBy(directory, alice, bob)).master?.['signatures'], undefined)
})

test('each key of an upload stands for itself: what does not hold is named, the rest is taken', async t => {
  const { directory, a, b } = await twoPeople()
  const masterA = a.identity.key('master', a.identity.master)
  const masterB = b.identity.key('master', b.identity.master)
  const { selfSigning, userSigning } = a.identity
  const failures = await directory.keys.uploadSignatures(alice, [
    sign(alice, 'A', selfSigning.sign(a.device.deviceKeys(), alice)),
    sign(alice, 'NONE', selfSigning.sign(a.device.deviceKeys(), alice)),
    sign(alice, a.identity.master.publicKey, new Signer().sign(masterA, alice, 'A')),
    sign(bob, 'B', userSigning.sign(b.device.deviceKeys(), alice)),
    sign(bob, b.identity.master.publicKey, selfSigning.sign(masterB, alice)),
    sign(carol, b.identity.master.publicKey, userSigning.sign(masterB, alice)),
    sign(bob, b.identity.master.publicKey, userSigning.sign({ ...masterB, usage: ['master', 'x'] }, alice)),
  ])
  t.deepEqual(
    failures.map(({ userId, keyId, errcode }) => [userId, keyId.length < 9 ? keyId : 'MASTER', errcode]),
    [
      [alice, 'NONE', 'M_NOT_FOUND'],
      [alice, 'MASTER', 'M_INVALID_SIGNATURE'],
      [bob, 'B', 'M_NOT_FOUND'],
      [bob, 'MASTER', 'M_INVALID_SIGNATURE'],
      [carol, 'MASTER', 'M_NOT_FOUND'],
      [bob, 'MASTER', 'M_INVALID_SIGNATURE'],
    ],
  )
  const { devices } = await seenBy(directory, bob, alice)
  t.is(Object.keys((devices['A']!['signatures'] as Record<string, object>)[alice]!).length, 2)
  t.is((await seenBy(directory, alice, bob)).master?.['signatures'], undefined)
})

test('a person who goes takes identity and signatures along', async t => {
  const { directory, a, b } = await twoPeople()
  const { keys, store } = directory
  const signed = b.identity.userSigning.sign(a.identity.key('master', a.identity.master), bob)
  await keys.uploadSignatures(bob, [sign(alice, a.identity.master.publicKey, signed)])
  await store.transact(bob, tx => keys.removeAccount(tx, bob))
  t.is((await seenBy(directory, alice, bob)).master, undefined)
  t.deepEqual((await seenBy(directory, bob, alice)).master, a.identity.upload().master_key)
  const { changed } = await keys.deviceListChanges(
    alice,
    (store.durablePosition - 1) as Position,
    store.durablePosition,
  )
  t.deepEqual(changed, [bob])
})

test('who has no account any more publishes no cross-signing keys', async t => {
  const { keys } = await openDirectory()
  const parsed = parseCrossSigningKeys(new Identity(alice).upload(), alice)
  await t.throwsAsync(keys.uploadCrossSigningKeys(alice, parsed, true), { code: 'M_FORBIDDEN' })
})
