import test from 'ava'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import type { Position } from '../../server/store/store.ts'
import { alice, bob, device, Identity, room1, signIn, TestDevice } from './people.ts'
import { deliver, dora, openTwoServers, peerName, type Side, type TwoServers } from './two-servers.ts'

const emil = '@emil:peer.test' as UserId

async function joinBoth(
  { here, there }: TwoServers,
  roomId: typeof room1,
  ...users: UserId[]
): Promise<void> {
  for (const user of users) {
    await here.rooms.set(roomId, user, 'join')
    await there.rooms.set(roomId, user, 'join')
  }
}

async function devicesSeen({ keys }: Side, userId: UserId): Promise<string[] | JsonObject> {
  const answer = await keys.query({ userId: alice, kind: 'member' }, new Map([[userId, []]]))
  return Object.keys(answer.failures).length > 0
    ? answer.failures
    : Object.keys(answer.device_keys[userId] ?? {}).sort()
}

async function changedFor(side: Side, userId: UserId, after: Position): Promise<readonly string[]> {
  return (await side.keys.deviceListChanges(userId, after, side.store.durablePosition)).changed
}

for (const slow of [false, true]) {
  const how = slow ? ' (slow store)' : ''
  const open = async () => {
    const both = await openTwoServers({ slow })
    const doras = await signIn(both.there, dora, 'D1')
    await joinBoth(both, room1, alice, dora)
    await deliver(both.there, both.here)
    return { ...both, doras }
  }

  test(`a list is asked for once, and then followed by what its server tells${how}`, async t => {
    const { here, there } = await open()
    t.deepEqual(await devicesSeen(here, dora), ['D1'])
    t.deepEqual(await devicesSeen(here, dora), ['D1'])
    t.deepEqual(here.asked, [`devices ${dora}`])
    const after = here.store.durablePosition
    await signIn(there, dora, 'D2')
    await deliver(there, here)
    t.deepEqual(await changedFor(here, alice, after), [dora])
    t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2'])
    await there.store.transact(dora, tx => there.keys.removeDevice(tx, dora, device('D1')))
    await deliver(there, here)
    t.deepEqual(await devicesSeen(here, dora), ['D2'])
    t.deepEqual(here.asked, [`devices ${dora}`])
  })

  test(`a lost update shows by the next one: clients are told, and the list is asked for again${how}`, async t => {
    const { here, there } = await open()
    await devicesSeen(here, dora)
    await signIn(there, dora, 'D2')
    await deliver(there, here, () => true)
    await signIn(there, dora, 'D3')
    const after = here.store.durablePosition
    await deliver(there, here)
    t.deepEqual(await changedFor(here, alice, after), [dora])
    t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2', 'D3'])
    t.is(here.asked.length, 2)
  })

  test(`an update that comes while the list is fetched is not lost${how}`, async t => {
    const { here, there } = await open()
    here.beforeAnswer = async () => {
      here.beforeAnswer = async () => {}
      await signIn(there, dora, 'D2')
      await deliver(there, here)
    }
    t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2'])
    t.is(here.asked.length, 2)
  })

  test(`messages between devices arrive once, however often the transaction is sent${how}`, async t => {
    const { here, there } = await open()
    there.devices.add(dora, device('D2'))
    await here.keys.sendToDevice({
      sender: alice,
      senderDevice: device('A'),
      txnId: 't',
      type: 'm.test',
      messages: [
        { userId: dora, deviceId: device('D1'), content: { n: 1 } },
        { userId: dora, deviceId: '*', content: { n: 2 } },
        { userId: bob, deviceId: device('none'), content: { n: 3 } },
      ],
    })
    const edus = await deliver(here, there)
    t.is(edus.length, 1)
    for (const { edu_type, content } of edus) await there.take(here.rooms.serverName, edu_type, content)
    const inbox = async (id: string) => {
      const page = await there.keys.toDevice(dora, device(id), 0 as Position, there.store.durablePosition)
      return page.events.map(({ sender, type, content }) => `${sender} ${type} ${content['n']}`)
    }
    t.deepEqual(await inbox('D1'), [`${alice} m.test 1`, `${alice} m.test 2`])
    t.deepEqual(await inbox('D2'), [`${alice} m.test 2`])
  })
}

test('a list that is held is answered while its server cannot be reached; others are a failure of that server', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await signIn(there, emil, 'E1')
  await joinBoth(both, room1, alice, dora, emil)
  await signIn(here, bob, 'B')
  await devicesSeen(here, dora)
  here.cut = true
  const wanted = new Map<UserId, DeviceId[]>([
    [dora, []],
    [emil, []],
    [bob, []],
  ])
  const answer = await here.keys.query({ userId: alice, kind: 'member' }, wanted)
  t.deepEqual(Object.keys(answer.device_keys).sort(), [bob, dora])
  t.is(answer.failures[peerName]?.['errcode'], 'M_UNKNOWN')
})

test('who shares no room is asked for each time, and nothing of it is kept', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  t.deepEqual(await devicesSeen(here, dora), ['D1'])
  await signIn(there, dora, 'D2')
  t.deepEqual(await deliver(there, here), [])
  t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2'])
  t.deepEqual(here.asked, ['query', 'query'])
})

test('after leaving and joining again the list is asked for anew', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await joinBoth(both, room1, alice, dora)
  await devicesSeen(here, dora)
  for (const side of [here, there]) await side.rooms.set(room1, alice, 'leave')
  await signIn(there, dora, 'D2')
  await deliver(there, here)
  await joinBoth(both, room1, alice)
  t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2'])
  for (const side of [here, there]) await side.rooms.set(room1, dora, 'leave')
  await signIn(there, dora, 'D3')
  await deliver(there, here)
  await joinBoth(both, room1, dora)
  t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2', 'D3'])
  t.is(here.asked.length, 3)
})

test('a list that is held stays so when they change their name, or one more of ours comes in', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await joinBoth(both, room1, alice, dora)
  await devicesSeen(here, dora)
  await here.rooms.set(room1, dora, 'join', { displayname: 'Dora D.' })
  await here.rooms.set(room1, bob, 'join')
  t.deepEqual(await devicesSeen(here, dora), ['D1'])
  t.is(here.asked.length, 1)
})

test('a server that could not be told of changes is told that it missed some, and asks; who missed none does not', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await joinBoth(both, room1, alice, dora)
  await devicesSeen(here, dora)
  const tellAnew = async () => {
    await there.keys.tellDevices(here.rooms.serverName, [dora, emil])
    await deliver(there, here)
  }
  await tellAnew()
  t.deepEqual(await devicesSeen(here, dora), ['D1'])
  t.is(here.asked.length, 1)

  await signIn(there, dora, 'D2')
  await deliver(there, here, () => true)
  const after = here.store.durablePosition
  await tellAnew()
  t.deepEqual(await changedFor(here, alice, after), [dora])
  t.deepEqual(await devicesSeen(here, dora), ['D1', 'D2'])

  // The last of them is gone.
  for (const id of ['D1', 'D2']) {
    await there.store.transact(dora, tx => there.keys.removeDevice(tx, dora, device(id)))
  }
  await deliver(there, here, () => true)
  await tellAnew()
  t.deepEqual(await devicesSeen(here, dora), [])
})

test('cross-signing keys come with the list and follow its changes; who verified whom stays at home', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await joinBoth(both, room1, alice, dora)
  const first = new Identity(dora)
  await there.keys.uploadCrossSigningKeys(dora, keysOf(first), true)
  const seen = async () => {
    const answer = await here.keys.query({ userId: alice, kind: 'member' }, new Map([[dora, []]]))
    t.deepEqual(answer.user_signing_keys, {})
    return [answer.master_keys[dora], answer.self_signing_keys[dora]].map(
      key => Object.keys(key?.['keys'] ?? {})[0],
    )
  }
  await deliver(there, here)
  t.deepEqual(await seen(), [`ed25519:${first.master.publicKey}`, `ed25519:${first.selfSigning.publicKey}`])
  const second = new Identity(dora)
  await there.keys.uploadCrossSigningKeys(dora, keysOf(second), true)
  const sent = await deliver(there, here)
  t.deepEqual(
    sent.map(({ edu_type }) => edu_type),
    ['m.signing_key_update'],
  )
  t.deepEqual(await seen(), [`ed25519:${second.master.publicKey}`, `ed25519:${second.selfSigning.publicKey}`])
  t.deepEqual(here.asked, [`devices ${dora}`])
  t.false(JSON.stringify(sent).includes('user_signing'))
})

test('somebody here signs the master key of somebody there, and only sees it', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await joinBoth(both, room1, alice, dora)
  await signIn(there, dora, 'D1')
  await signIn(here, alice, 'A')
  const [alices, doras] = [new Identity(alice), new Identity(dora)]
  await there.keys.uploadCrossSigningKeys(dora, keysOf(doras), true)
  await here.keys.uploadCrossSigningKeys(alice, keysOf(alices), true)
  await devicesSeen(here, dora)
  const object = alices.userSigning.sign(doras.key('master', doras.master), alice)
  t.deepEqual(
    await here.keys.uploadSignatures(alice, [{ userId: dora, keyId: doras.master.publicKey, object }]),
    [],
  )
  const answer = await here.keys.query({ userId: alice, kind: 'member' }, new Map([[dora, []]]))
  t.truthy((answer.master_keys[dora]?.['signatures'] as JsonObject | undefined)?.[alice])
})

test('one-time keys of devices there are claimed there, each once', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  const doras = await signIn(there, dora, 'D1')
  await there.keys.upload(dora, doras.deviceId, { one_time_keys: doras.oneTimeKeys('k1') })
  const want = [{ userId: dora, deviceId: doras.deviceId, algorithm: 'signed_curve25519' }]
  const claim = () => here.keys.claim({ userId: alice, kind: 'member' }, want)
  const [first, second] = [await claim(), await claim()]
  t.deepEqual(
    first.claimed.map(({ id }) => id),
    ['k1'],
  )
  t.deepEqual(second.claimed, [])
  here.cut = true
  t.is((await claim()).failures[peerName]?.['errcode'], 'M_UNKNOWN')
})

test('names of devices do not leave; keys of other people than the sender’s server’s are not believed', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  await signIn(there, dora, 'D1')
  await joinBoth(both, room1, alice, dora)
  await signIn(there, dora, 'D2')
  const sent = JSON.stringify(await deliver(there, here))
  t.false(sent.includes('of @dora'))
  const forged = new TestDevice(alice, 'X')
  const content = { user_id: alice, device_id: 'X', stream_id: 9, prev_id: [], keys: forged.deviceKeys() }
  const after = here.store.durablePosition
  await here.take(peerName, 'm.device_list_update', content)
  await here.take(peerName, 'm.direct_to_device', {
    sender: alice,
    type: 'm.x',
    message_id: '1',
    messages: { [alice]: { '*': {} } },
  })
  t.is(here.store.durablePosition, after)
})

const bad: [string, JsonObject][] = [
  ['m.device_list_update', {}],
  ['m.device_list_update', { user_id: dora, device_id: 1, stream_id: 'x', prev_id: 'y' }],
  [
    'm.device_list_update',
    { user_id: dora, device_id: 'D', stream_id: 1e300, prev_id: [{}], keys: { a: 1 } },
  ],
  ['m.device_list_update', { user_id: dora, device_id: 'D1', stream_id: 2 ** 50, prev_id: [1], keys: [] }],
  ['m.signing_key_update', { user_id: dora, master_key: { keys: 7 } }],
  ['m.signing_key_update', { user_id: dora, master_key: [], self_signing_key: {} }],
  ['m.direct_to_device', { sender: dora, type: 'x', message_id: '', messages: {} }],
  [
    'm.direct_to_device',
    { sender: dora, type: 'x', message_id: 'm', messages: { nobody: 1, [alice]: { A: 5 } } },
  ],
  [
    'm.direct_to_device',
    { sender: dora, type: 'x', message_id: 'n', messages: { [alice]: { A: { x: 'x'.repeat(70_000) } } } },
  ],
  ['m.unheard_of', { a: 1 }],
]
for (const [type, content] of bad) {
  test(`${type} with ${JSON.stringify(content).slice(0, 90)} is passed over, and the list is right afterwards`, async t => {
    const both = await openTwoServers()
    const { here, there } = both
    await signIn(there, dora, 'D1')
    await joinBoth(both, room1, alice, dora)
    await devicesSeen(here, dora)
    await t.notThrowsAsync(here.take(peerName, type, content))
    t.deepEqual(await devicesSeen(here, dora), ['D1'])
  })
}

test('a large share of keys goes in several EDUs, and all of it arrives', async t => {
  const both = await openTwoServers()
  const { here, there } = both
  const ids = Array.from({ length: 40 }, (_, i) => device(`D${i}`))
  for (const id of ids) there.devices.add(dora, id)
  const content = { x: 'x'.repeat(5_000) }
  const messages = ids.map(deviceId => ({ userId: dora, deviceId, content }))
  await here.keys.sendToDevice({
    sender: alice,
    senderDevice: device('A'),
    txnId: 't',
    type: 'm.k',
    messages,
  })
  const edus = await deliver(here, there)
  t.true(edus.length > 1 && edus.length < 10)
  for (const id of ids) {
    const { events } = await there.keys.toDevice(dora, id, 0 as Position, there.store.durablePosition)
    t.is(events.length, 1)
  }
})

function keysOf(identity: Identity) {
  const { master_key, self_signing_key, user_signing_key } = identity.upload()
  return { master: master_key, self_signing: self_signing_key, user_signing: user_signing_key }
}
