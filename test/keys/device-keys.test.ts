import test from 'ava'
import { alice, bob, carol, device, openDirectory, room1, signIn, TestDevice } from './people.ts'

const member = (userId: typeof alice) => ({ userId, kind: 'member' }) as const
const all = (...users: (typeof alice)[]) => new Map(users.map(userId => [userId, []]))

test('a device’s keys come back as they were uploaded, with its name beside them', async t => {
  const directory = await openDirectory()
  const phone = await signIn(directory, alice, 'PHONE')
  const { device_keys } = await directory.keys.query(member(bob), all(alice))
  const { unsigned, ...uploaded } = device_keys[alice]!['PHONE']!
  t.deepEqual(uploaded, phone.deviceKeys())
  t.deepEqual(unsigned, { device_display_name: 'PHONE of @alice:letro.test' })
})

test('signed fields that nobody knows yet are kept; what is not signed is not', async t => {
  const directory = await openDirectory()
  const phone = new TestDevice(alice, 'PHONE')
  directory.devices.add(alice, phone.deviceId)
  const object = phone.deviceKeys({ 'org.letro.kem': { x: 'y' } })
  await directory.keys.upload(alice, phone.deviceId, { device_keys: { ...object, unsigned: { a: 1 } } })
  const { device_keys } = await directory.keys.query(member(bob), all(alice))
  t.deepEqual(device_keys[alice]!['PHONE'], object)
})

test('a query names devices, or gives all; devices that do not exist are missing, people as well', async t => {
  const directory = await openDirectory()
  await signIn(directory, alice, 'A')
  await signIn(directory, alice, 'B')
  directory.devices.add(alice, device('WITHOUT-KEYS'))
  const { keys } = directory
  t.deepEqual(Object.keys((await keys.query(member(bob), all(alice))).device_keys[alice]!), ['A', 'B'])
  const some = await keys.query(
    member(bob),
    new Map([
      [alice, [device('B'), device('Z')]],
      [carol, []],
    ]),
  )
  t.deepEqual(Object.keys(some.device_keys[alice]!), ['B'])
  t.false(carol in some.device_keys)
})

test('a server that is not this one is a failure', async t => {
  const { keys } = await openDirectory()
  const answer = await keys.query(member(bob), all('@eve:elsewhere.test' as typeof alice))
  t.like(answer.failures['elsewhere.test'], { errcode: 'M_UNKNOWN' })
  t.deepEqual(answer.device_keys, {})
})

test('an external person asks in vain about people with whom they share no room', async t => {
  const directory = await openDirectory()
  await signIn(directory, alice, 'A', {})
  directory.devices.add(bob, device('B'))
  const external = { userId: bob, kind: 'external' } as const
  t.deepEqual((await directory.keys.query(external, all(alice))).device_keys, {})
  await directory.rooms.set(room1, alice, 'join')
  await directory.rooms.set(room1, bob, 'join')
  t.deepEqual(Object.keys((await directory.keys.query(external, all(alice))).device_keys[alice]!), ['A'])
})

test('an external person reaches who is invited where they are, and who invites them', async t => {
  const directory = await openDirectory()
  for (const userId of [alice, carol]) await signIn(directory, userId, 'A', {})
  directory.devices.add(bob, device('B'))
  const external = { userId: bob, kind: 'external' } as const
  const asked = async () => Object.keys((await directory.keys.query(external, all(alice, carol))).device_keys)
  await directory.rooms.set(room1, alice, 'join')
  await directory.rooms.set(room1, carol, 'join')
  await directory.rooms.set(room1, bob, 'invite', {}, alice)
  t.deepEqual(await asked(), [alice])
  await directory.rooms.set(room1, bob, 'join')
  await directory.rooms.set(room1, carol, 'invite')
  t.deepEqual(await asked(), [alice, carol])
  await directory.rooms.set(room1, carol, 'leave')
  t.deepEqual(await asked(), [alice])
})

test('the same upload again changes nothing, and nobody has to look again', async t => {
  const directory = await openDirectory()
  const phone = await signIn(directory, alice, 'PHONE')
  const before = directory.store.durablePosition
  await directory.keys.upload(alice, phone.deviceId, { device_keys: phone.deviceKeys() })
  t.is(directory.store.durablePosition, before)
})

test('an existing device cannot get other identity keys', async t => {
  const directory = await openDirectory()
  await signIn(directory, alice, 'PHONE')
  const thief = new TestDevice(alice, 'PHONE')
  await t.throwsAsync(directory.keys.upload(alice, thief.deviceId, { device_keys: thief.deviceKeys() }), {
    code: 'M_FORBIDDEN',
    message: /Sign in as a new device/,
  })
})

test('an existing device may add an algorithm, signed again', async t => {
  const directory = await openDirectory()
  const phone = await signIn(directory, alice, 'PHONE')
  const object = phone.deviceKeys({ algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.new'] })
  await directory.keys.upload(alice, phone.deviceId, { device_keys: object })
  const { device_keys } = await directory.keys.query(member(bob), all(alice))
  t.deepEqual(device_keys[alice]!['PHONE']!['algorithms'], ['m.olm.v1.curve25519-aes-sha2', 'm.new'])
})

const phone = new TestDevice(alice, 'PHONE')
const other = new TestDevice(alice, 'OTHER')
const unsigned = { ...phone.deviceKeys(), signatures: {} }
const refusals: [string, string, object][] = [
  ['no object', 'M_BAD_JSON', { device_keys: [] }],
  ['another user', 'M_INVALID_PARAM', { device_keys: new TestDevice(bob, 'PHONE').deviceKeys() }],
  ['another device', 'M_INVALID_PARAM', { device_keys: other.deviceKeys() }],
  ['algorithms of a wrong type', 'M_BAD_JSON', { device_keys: phone.deviceKeys({ algorithms: [1] }) }],
  ['no keys', 'M_INVALID_PARAM', { device_keys: phone.deviceKeys({ keys: {} }) }],
  [
    'a key of another device',
    'M_INVALID_PARAM',
    { device_keys: phone.deviceKeys({ keys: { 'ed25519:OTHER': phone.signer.publicKey } }) },
  ],
  [
    'an ed25519 key that is too short',
    'M_INVALID_PARAM',
    { device_keys: phone.deviceKeys({ keys: { 'ed25519:PHONE': 'AAAA', 'curve25519:PHONE': 'AAAA' } }) },
  ],
  ['no signature', 'M_INVALID_SIGNATURE', { device_keys: unsigned }],
  [
    'a signature of another object',
    'M_INVALID_SIGNATURE',
    { device_keys: { ...phone.deviceKeys(), algorithms: ['m.changed'] } },
  ],
  [
    'a signature by another key',
    'M_INVALID_SIGNATURE',
    { device_keys: other.signer.sign(unsigned, alice, 'PHONE') },
  ],
  [
    'a fraction, which has no canonical form',
    'M_BAD_JSON',
    { device_keys: { ...phone.deviceKeys(), x: 0.5 } },
  ],
  ['more than 32 KiB', 'M_TOO_LARGE', { device_keys: { ...phone.deviceKeys(), x: 'x'.repeat(40_000) } }],
  ['one-time keys that are no object', 'M_BAD_JSON', { one_time_keys: [] }],
  ['a one-time key without an id', 'M_INVALID_PARAM', { one_time_keys: { signed_curve25519: phone.key() } }],
  ['a one-time key that is not signed', 'M_INVALID_PARAM', { one_time_keys: { 'curve25519:A': 'abc' } }],
  [
    'a one-time key that is signed by another device',
    'M_INVALID_PARAM',
    { one_time_keys: other.oneTimeKeys('A') },
  ],
  [
    'a one-time key that is no key',
    'M_INVALID_PARAM',
    { one_time_keys: { 'signed_curve25519:A': phone.sign({ key: 'AAAA' }) } },
  ],
  ['two fallback keys of one algorithm', 'M_INVALID_PARAM', { fallback_keys: phone.oneTimeKeys('A', 'B') }],
  [
    'more one-time keys than a device may hold',
    'M_INVALID_PARAM',
    {
      one_time_keys: Object.fromEntries(
        Array.from({ length: 501 }, (_, i) => [`signed_curve25519:${i}`, phone.key()]),
      ),
    },
  ],
]
for (const [what, code, body] of refusals) {
  test(`an upload is refused: ${what}`, async t => {
    const directory = await openDirectory()
    directory.devices.add(alice, phone.deviceId)
    const before = directory.store.durablePosition
    const error = await t.throwsAsync(directory.keys.upload(alice, phone.deviceId, body as never), { code })
    t.regex(error.message, /device_keys|one_time_keys|fallback_keys|larger/)
    t.is(directory.store.durablePosition, before)
  })
}

test('a device that was signed out meanwhile publishes nothing', async t => {
  const { keys } = await openDirectory()
  await t.throwsAsync(keys.upload(alice, phone.deviceId, { device_keys: phone.deviceKeys() }), {
    code: 'M_FORBIDDEN',
  })
})

test('a removed device is gone with its keys, and may come back as another one', async t => {
  const directory = await openDirectory()
  const { keys, store, devices } = directory
  const old = await signIn(directory, alice, 'PHONE')
  await keys.upload(alice, old.deviceId, {
    one_time_keys: old.oneTimeKeys('A'),
    fallback_keys: old.oneTimeKeys('F'),
  })
  await store.transact(alice, tx => keys.removeDevice(tx, alice, old.deviceId))
  devices.remove(alice, old.deviceId)
  t.deepEqual((await keys.query(member(bob), all(alice))).device_keys[alice], {})
  const wanted = [{ userId: alice, deviceId: old.deviceId, algorithm: 'signed_curve25519' }]
  t.deepEqual((await keys.claim(member(bob), wanted)).claimed, [])
  t.deepEqual(await keys.keyCounts(alice, old.deviceId), {
    counts: { signed_curve25519: 0 },
    unusedFallback: [],
    changed: 0 as never,
  })
  await t.notThrowsAsync(signIn(directory, alice, 'PHONE'))
})
