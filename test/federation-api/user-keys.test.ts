/** What a peer learns of the devices and keys of our people. */
import test from 'ava'
import { userKeysRoutes } from '../../server/federation-api/user-keys.ts'
import { openKeysForPeers } from '../../server/keys/shown-to-peers.ts'
import { alice, bob, carol, device, openDirectory, serverName, signIn } from '../keys/people.ts'
import { authenticate, startAsking } from './asking-peer.ts'

const phone = device('PHONE')

async function open() {
  const directory = await openDirectory()
  const { store, devices } = directory
  const asking = await startAsking(
    userKeysRoutes({ authenticate, keys: openKeysForPeers({ store, serverName, devices }) }),
  )
  return { directory, asking }
}

test('the devices of one person: keys without their names, and a stream id that grows with each change', async t => {
  const { directory, asking } = await open()
  const laptop = await signIn(directory, alice, 'LAPTOP')
  const before = (await asking.get(`/user/devices/${alice}`)).body
  t.deepEqual(before, {
    user_id: alice,
    stream_id: before.stream_id,
    devices: [{ device_id: 'LAPTOP', keys: laptop.deviceKeys() }],
  })
  await signIn(directory, alice, 'PHONE')
  await signIn(directory, bob, 'PHONE')
  const { body } = await asking.get(`/user/devices/${alice}`)
  t.is(body.devices.length, 2)
  t.true(body.stream_id > before.stream_id)
  t.false(JSON.stringify(body).includes('display_name'))
  for (const nobody of [carol, '@alice:elsewhere.test']) {
    t.is((await asking.get(`/user/devices/${nobody}`)).status, 404)
  }
  await asking.close()
})

test('keys of many people; what is no id and who is not here are missing, the others get theirs', async t => {
  const { directory, asking } = await open()
  const keys = await signIn(directory, alice, 'PHONE')
  await signIn(directory, alice, 'LAPTOP')
  const { body } = await asking.post('/user/keys/query', {
    device_keys: { [alice]: ['PHONE', 'UNKNOWN'], [carol]: [], '@alice:elsewhere.test': [], nonsense: 7 },
  })
  t.deepEqual(body, {
    device_keys: { [alice]: { PHONE: keys.deviceKeys() } },
    master_keys: {},
    self_signing_keys: {},
  })
  const all = await asking.post('/user/keys/query', { device_keys: { [alice]: [] } })
  t.deepEqual(Object.keys(all.body.device_keys[alice]).sort(), ['LAPTOP', 'PHONE'])
  await asking.close()
})

test('a one-time key is given to one peer once', async t => {
  const { directory, asking } = await open()
  const keys = await signIn(directory, alice, 'PHONE')
  const uploaded = keys.oneTimeKeys('A')
  await directory.keys.upload(alice, phone, { one_time_keys: uploaded })
  const wanted = {
    one_time_keys: {
      [alice]: { PHONE: 'signed_curve25519', '': 'x', OTHER: 5 },
      '@bob:elsewhere.test': { PHONE: 'signed_curve25519' },
    },
  }
  t.deepEqual((await asking.post('/user/keys/claim', wanted)).body, {
    one_time_keys: { [alice]: { PHONE: uploaded } },
  })
  t.deepEqual((await asking.post('/user/keys/claim', wanted)).body, { one_time_keys: {} })
  await asking.close()
})

test('too many at once are refused as a whole', async t => {
  const { asking } = await open()
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`@u${i}:${serverName}`, []]))
  t.like(await asking.post('/user/keys/query', { device_keys: many }), {
    status: 413,
    body: { errcode: 'M_TOO_LARGE' },
  })
  t.is((await asking.post('/user/keys/query', {})).body.errcode, 'M_MISSING_PARAM')
  await asking.close()
})
