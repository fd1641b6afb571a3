import test from 'ava'
import type { ClaimedKey } from '../../server/keys/one-time-keys.ts'
import {
  deviceListPlaceTable,
  keysSettingTable,
  remoteDeviceListTable,
} from '../../server/store/catalogue.ts'
import { alice, bob, type Directory, device, openDirectory, signIn } from './people.ts'

const asBob = { userId: bob, kind: 'member' } as const
const phone = device('PHONE')
const wanted = [{ userId: alice, deviceId: phone, algorithm: 'signed_curve25519' }]

async function claimOne({ keys }: Directory): Promise<ClaimedKey | undefined> {
  return (await keys.claim(asBob, wanted)).claimed[0]
}

for (const slow of [false, true]) {
  const how = slow ? ' (slow store)' : ''

  test(`keys are claimed in the order of their uploads${how}`, async t => {
    const directory = await openDirectory({ slow })
    const device = await signIn(directory, alice, 'PHONE')
    // Neither names nor bytes say which came first.
    for (const id of ['zz', 'aa', 'mm']) {
      await directory.keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys(id) })
    }
    const ids = [await claimOne(directory), await claimOne(directory), await claimOne(directory)]
    t.deepEqual(
      ids.map(key => key?.id),
      ['zz', 'aa', 'mm'],
    )
    t.is(await claimOne(directory), undefined)
  })

  test(`a hundred claims of fifty keys: no key twice, none left${how}`, async t => {
    const directory = await openDirectory({ slow })
    const device = await signIn(directory, alice, 'PHONE')
    const ids = Array.from({ length: 50 }, (_, i) => `K${i}`)
    const uploaded = device.oneTimeKeys(...ids)
    await directory.keys.upload(alice, phone, { one_time_keys: uploaded })
    const claims = await Promise.all(Array.from({ length: 100 }, () => claimOne(directory)))
    const given = claims.filter(key => key !== undefined)
    t.is(given.length, 50)
    t.is(new Set(given.map(({ id }) => id)).size, 50)
    for (const { id, key } of given) t.deepEqual(key, uploaded[`signed_curve25519:${id}`]!)
    t.deepEqual((await directory.keys.keyCounts(alice, phone)).counts, { signed_curve25519: 0 })
  })

  test(`claims and uploads at the same time: every key once, the count is right${how}`, async t => {
    const directory = await openDirectory({ slow, seed: 7 })
    const device = await signIn(directory, alice, 'PHONE')
    const upload = (i: number) =>
      directory.keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys(`A${i}`, `B${i}`) })
    const given: (ClaimedKey | undefined)[] = []
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await upload(i)
        given.push(await claimOne(directory))
      }),
    )
    const ids = given.map(key => key!.id)
    t.is(new Set(ids).size, 30)
    t.is((await directory.keys.keyCounts(alice, phone)).counts['signed_curve25519'], 30)
  })
}

test('what was claimed stays claimed when the server opens again', async t => {
  const directory = await openDirectory()
  const device = await signIn(directory, alice, 'PHONE')
  await directory.keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A', 'B') })
  const first = await claimOne(directory)
  const keys = await directory.reopen()
  const second = (await keys.claim(asBob, wanted)).claimed[0]
  t.deepEqual([first?.id, second?.id], ['A', 'B'])
  t.deepEqual((await keys.keyCounts(alice, phone)).counts, { signed_curve25519: 0 })
})

test('the same key again is no second key; another key under its id is refused', async t => {
  const directory = await openDirectory()
  const { keys } = directory
  const device = await signIn(directory, alice, 'PHONE')
  const oneTimeKeys = device.oneTimeKeys('A')
  await keys.upload(alice, phone, { one_time_keys: oneTimeKeys })
  t.deepEqual((await keys.upload(alice, phone, { one_time_keys: oneTimeKeys })).counts, {
    signed_curve25519: 1,
  })
  await t.throwsAsync(keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A', 'B') }), {
    code: 'M_INVALID_PARAM',
    message: /signed_curve25519:A exists already/,
  })
  t.deepEqual((await keys.keyCounts(alice, phone)).counts, { signed_curve25519: 1 })
})

test('an upload that is repeated after its key was claimed does not bring the key back', async t => {
  const directory = await openDirectory()
  const { keys } = directory
  const device = await signIn(directory, alice, 'PHONE')
  const oneTimeKeys = device.oneTimeKeys('A')
  await keys.upload(alice, phone, { one_time_keys: oneTimeKeys })
  t.is((await claimOne(directory))?.id, 'A')
  t.deepEqual((await keys.upload(alice, phone, { one_time_keys: oneTimeKeys })).counts, {
    signed_curve25519: 0,
  })
  t.is(await claimOne(directory), undefined)
  await t.throwsAsync(keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A') }))
})

test('without one-time keys the fallback key is given, again and again, and is marked as used', async t => {
  const directory = await openDirectory()
  const { keys } = directory
  const device = await signIn(directory, alice, 'PHONE')
  const fallback = { 'signed_curve25519:F': device.key({ fallback: true }) }
  await keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A'), fallback_keys: fallback })
  t.deepEqual((await keys.keyCounts(alice, phone)).unusedFallback, ['signed_curve25519'])
  t.deepEqual(
    [(await claimOne(directory))?.id, (await claimOne(directory))?.id, (await claimOne(directory))?.id],
    ['A', 'F', 'F'],
  )
  t.deepEqual((await keys.keyCounts(alice, phone)).unusedFallback, [])
  // The same one again does not become unused; a new one is.
  await keys.upload(alice, phone, { fallback_keys: fallback })
  t.deepEqual((await keys.keyCounts(alice, phone)).unusedFallback, [])
  await keys.upload(alice, phone, {
    fallback_keys: { 'signed_curve25519:G': device.key({ fallback: true }) },
  })
  t.deepEqual((await keys.keyCounts(alice, phone)).unusedFallback, ['signed_curve25519'])
  t.is((await claimOne(directory))?.id, 'G')
})

test('a claim moves the counts to a new position, an upload does not', async t => {
  const directory = await openDirectory()
  const { keys, store } = directory
  const device = await signIn(directory, alice, 'PHONE')
  await keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A') })
  t.is((await keys.keyCounts(alice, phone)).changed, 0 as never)
  const before = store.durablePosition
  await claimOne(directory)
  const { changed } = await keys.keyCounts(alice, phone)
  t.true(changed > before && changed <= store.durablePosition)
})

test('a claim tells the device, and only when it is durable', async t => {
  const directory = await openDirectory({ slow: true })
  const { keys, store } = directory
  const device = await signIn(directory, alice, 'PHONE')
  await keys.upload(alice, phone, { one_time_keys: device.oneTimeKeys('A') })
  await keys.keyCounts(alice, phone)
  let seen: number | undefined
  store.onDurable(async ({ topics }) => {
    if (topics.has(`device:${alice}/PHONE`)) {
      seen = (await keys.keyCounts(alice, phone)).counts['signed_curve25519']
    }
  })
  await claimOne(directory)
  await keys.keyCounts(alice, phone)
  t.is(seen, 0)
})

test('one claim for many devices is one answer; what has no key is missing', async t => {
  const directory = await openDirectory()
  for (const id of ['A', 'B', 'C']) {
    const device = await signIn(directory, alice, id)
    if (id !== 'C')
      await directory.keys.upload(alice, device.deviceId, { one_time_keys: device.oneTimeKeys('K') })
  }
  const all = ['A', 'B', 'C', 'NONE'].map(id => ({ ...wanted[0]!, deviceId: device(id) }))
  const { claimed, failures } = await directory.keys.claim(asBob, [
    ...all,
    { userId: '@eve:elsewhere.test' as typeof alice, deviceId: device('E'), algorithm: 'signed_curve25519' },
  ])
  t.deepEqual(
    claimed.map(({ deviceId, id }) => `${deviceId} ${id}`),
    ['A K', 'B K'],
  )
  t.deepEqual(Object.keys(failures), ['elsewhere.test'])
})

test('after a restore or repair no one-time key is left, the fallback key is, and devices are told', async t => {
  const directory = await openDirectory()
  const { keys, store } = directory
  const device = await signIn(directory, alice, 'PHONE')
  await keys.upload(alice, phone, {
    one_time_keys: device.oneTimeKeys(...Array.from({ length: 40 }, (_, i) => `K${i}`)),
    fallback_keys: { 'signed_curve25519:F': device.key() },
  })
  // As if these rows had been written in an epoch that was given up.
  await store.transact('test', tx => {
    tx.put(keysSettingTable.key('epoch'), store.epoch - 1)
    tx.put(remoteDeviceListTable.key('@eve:elsewhere.test'), { streamId: 7 })
  })
  const before = store.durablePosition
  const restored = await directory.reopen()
  const counts = await restored.keyCounts(alice, phone)
  t.deepEqual(counts.counts, { signed_curve25519: 0 })
  t.true(counts.changed > before)
  // Whoever holds a list of the time that was lost sees that there is a newer one.
  t.true((await store.read(view => view.get(deviceListPlaceTable.key(alice))))! > before)
  // What another server's person had meanwhile is not known either: the list is asked for anew.
  t.is(await store.read(view => view.get(remoteDeviceListTable.key('@eve:elsewhere.test'))), undefined)
  t.is((await restored.claim(asBob, wanted)).claimed[0]?.id, 'F')
  // Once only.
  await restored.upload(alice, phone, { one_time_keys: device.oneTimeKeys('NEW') })
  const again = await directory.reopen()
  t.is((await again.claim(asBob, wanted)).claimed[0]?.id, 'NEW')
})
