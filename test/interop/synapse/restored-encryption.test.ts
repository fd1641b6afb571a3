// biome-ignore-all lint/suspicious/noExplicitAny: tests look into answers of every shape
/**
 * The restore drill where it could break encryption: Synapse, and a device at home there, remember keys and devices that the
 * backup does not. No one-time key is given out a second time, each side knows the other's devices, and both read.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { registerCompletionHandler } from 'ava'
import { newKeys } from '../../backup/backup-data.ts'
import { call } from '../../support/client.ts'
import { openOldCopyRig, password } from './old-copy.ts'
import { Person, until } from './person.ts'

const letro = join(import.meta.dirname, '../../../provisioning/letro.ts')
const backup = (...args: string[]) => promisify(execFile)(process.execPath, [letro, 'backup', ...args])

// The SDK leaves timers behind, of minutes.
registerCompletionHandler(() => process.exit())

/** One-time keys of this device, as somebody on the other server gets them: ids, and none a second time if all is well. */
async function claim(who: Person, userId: string, deviceId: string, count: number): Promise<string[]> {
  const claimed: string[] = []
  for (let i = 0; i < count; i++) {
    const { one_time_keys: keys } = await who.api('POST', '/v3/keys/claim', {
      one_time_keys: { [userId]: { [deviceId]: 'signed_curve25519' } },
    })
    for (const [id, key] of Object.entries<any>(keys[userId]?.[deviceId] ?? {})) {
      if (!key.fallback) claimed.push(`${id} ${key.key}`)
    }
  }
  return claimed
}

const devicesOf = async (who: Person, userId: string): Promise<string[]> => {
  const { device_keys: keys } = await who.api('POST', '/v3/keys/query', { device_keys: { [userId]: [] } })
  return Object.keys(keys[userId] ?? {}).sort()
}

test('after a restore no key is given out twice, devices are known, and encrypted messages go both ways', async t => {
  const { identity, recipient } = await newKeys()
  const rig = await openOldCopyRig({ 'backup.recipients': recipient })
  t.teardown(async () => {
    if (!t.passed)
      t.log(rig.world.words, rig.ourDevice.requests.slice(-30), rig.ourDevice.complaints.slice(-20))
    await rig.close()
  })
  const { world, ourDevice, theirDevice, encryptedRoom, theirs } = rig
  const { process } = world.letro
  const read = async (when: string) => {
    const text = `said ${when}`
    t.is(await theirDevice.read(encryptedRoom, await ourDevice.sendText(encryptedRoom, text)), text)
    t.is(await ourDevice.read(encryptedRoom, await theirDevice.sendText(encryptedRoom, text)), text)
  }
  await read('before the backup')
  const [data, away] = [join(process.folder, 'data'), join(process.folder, 'away')]
  mkdirSync(away)
  const file = join(away, 'letro-letro.test-20260101T000000Z-000.age')
  await backup('create', '--data', data, '--out', file)

  // What the backup does not know: messages, keys that were given out, a new device on either side.
  await read('after the backup')
  const claimed = await claim(theirs, ourDevice.userId, ourDevice.deviceId, 5)
  t.is(new Set(claimed).size, 5)
  const theirNew = await rig.deviceAtSynapse('jonas')
  t.teardown(() => theirNew.stop())
  const ourLost = await rig.deviceAtLetro('amal')
  await until('Synapse knows the device that we will forget', async () =>
    (await devicesOf(theirs, ourDevice.userId)).includes(ourLost.deviceId) ? true : undefined,
  )
  ourLost.stop()
  const renew = ourDevice.hold()

  await process.kill()
  renameSync(data, join(away, 'the disk that died'))
  await writeFile(join(away, 'key'), identity)
  await backup('restore', file, '--key', join(away, 'key'), '--data', data)
  await process.start()
  await world.letro.admin('PUT', `/peers/${encodeURIComponent(world.synapse.serverName)}/suspended`, {
    suspended: false,
  })
  t.deepEqual(
    (await claim(theirs, ourDevice.userId, ourDevice.deviceId, 3)).filter(key => claimed.includes(key)),
    [],
    'before the device has brought new ones',
  )

  // Its token has run out; its keys are on the device.
  const { body: session } = await call(process.base, 'POST', '/_matrix/client/v3/login', {
    body: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'amal' },
      password,
      device_id: ourDevice.deviceId,
    },
  })
  renew(session.access_token)
  const ours = new Person(process.base, {
    userId: ourDevice.userId,
    deviceId: ourDevice.deviceId,
    token: session.access_token,
  })
  const fresh = await until('the device has brought new one-time keys', async () => {
    const keys = await claim(theirs, ourDevice.userId, ourDevice.deviceId, 5)
    return keys.length === 5 ? keys : undefined
  })
  t.deepEqual(
    fresh.filter(key => claimed.includes(key)),
    [],
    'nor after it',
  )
  await until('we know the device that came meanwhile', async () =>
    (await devicesOf(ours, theirDevice.userId)).includes(theirNew.deviceId) ? true : undefined,
  )
  await until('Synapse has forgotten the device that is lost', async () =>
    (await devicesOf(theirs, ourDevice.userId)).join() === ourDevice.deviceId ? true : undefined,
  )
  await read('after the restore')
})
