/** The key directory beside real accounts, wired as the server wires them. */
import test, { type ExecutionContext } from 'ava'
import { openKeys } from '../../server/keys/keys.ts'
import { followAccounts, localDevices } from '../../server/keys/local-devices.ts'
import type { DeviceId, UserId } from '../../server/protocol/ids.ts'
import type { Position } from '../../server/store/store.ts'
import { openHarness, passwordOf } from '../accounts/harness.ts'
import { Identity, TestDevice, TestRooms, verifyEd25519 } from './people.ts'

async function start(t: ExecutionContext) {
  const harness = await openHarness({ passwords: true })
  t.teardown(() => harness.close())
  const { store, accounts } = harness
  const rooms = Object.assign(new TestRooms(store), { serverName: harness.rooms.serverName })
  const keys = await openKeys({
    store,
    rooms,
    devices: localDevices,
    verifyEd25519,
    clock: () => harness.now,
  })
  followAccounts(accounts, keys, store)
  const ann = await harness.member('ann')
  const phone = new TestDevice(ann.userId, ann.deviceId)
  await keys.upload(ann.userId, phone.deviceId, {
    device_keys: phone.deviceKeys(),
    one_time_keys: phone.oneTimeKeys('K'),
  })
  const seen = async () => {
    const asker = { userId: '@x:clinic.example' as UserId, kind: 'member' } as const
    return (await keys.query(asker, new Map([[ann.userId, []]]))).device_keys[ann.userId]
  }
  const changesSince = async (after: Position) =>
    (await keys.deviceListChanges(ann.userId, after, store.durablePosition)).changed
  return { harness, store, keys, ann, phone, seen, changesSince }
}

test('a device’s new name stands with its keys, and its owner’s other devices are told', async t => {
  const { harness, store, ann, seen, changesSince } = await start(t)
  const before = store.durablePosition
  const path = `/_matrix/client/v3/devices/${ann.deviceId}`
  t.is((await harness.put(path, { display_name: 'the kitchen' }, ann.token)).status, 200)
  t.deepEqual((await seen())![ann.deviceId]!['unsigned'], { device_display_name: 'the kitchen' })
  t.deepEqual(await changesSince(before), [ann.userId])
})

test('signing out takes the device’s keys along', async t => {
  const { harness, store, keys, ann, phone, seen, changesSince } = await start(t)
  const before = store.durablePosition
  t.is((await harness.post('/_matrix/client/v3/logout', {}, ann.token)).status, 200)
  t.deepEqual(await seen(), {})
  t.deepEqual(await changesSince(before), [ann.userId])
  await t.throwsAsync(keys.upload(ann.userId, phone.deviceId, { one_time_keys: phone.oneTimeKeys('L') }), {
    code: 'M_FORBIDDEN',
  })
})

test('nobody signs in with a device id that is one of their cross-signing keys', async t => {
  const { harness, keys, ann } = await start(t)
  const identity = new Identity(ann.userId)
  await keys.uploadCrossSigningKeys(
    ann.userId,
    {
      master: identity.upload().master_key,
    },
    true,
  )
  const login = (deviceId: string) =>
    harness.post('/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'ann' },
      password: passwordOf('ann'),
      device_id: deviceId,
    })
  t.is((await login('LAPTOP')).status, 200)
  const refused = await login(identity.master.publicKey)
  t.true(refused.status >= 400 && refused.status < 500)
})

test('a message for a device that exists arrives; for one that was signed out it is dropped', async t => {
  const { harness, store, keys, ann, phone } = await start(t)
  const send = (txnId: string) =>
    keys.sendToDevice({
      sender: ann.userId,
      senderDevice: 'OTHER' as DeviceId,
      txnId,
      type: 'm.test',
      messages: [{ userId: ann.userId, deviceId: phone.deviceId, content: {} }],
    })
  const waiting = async () =>
    (await keys.toDevice(ann.userId, phone.deviceId, 0 as Position, store.durablePosition)).events.length
  await send('1')
  t.is(await waiting(), 1)
  await harness.post('/_matrix/client/v3/logout', {}, ann.token)
  await send('2')
  t.is(await waiting(), 0)
})
