/**
 * What the server says of our own devices and identity, asked for anew.
 *
 * Whether we have an identity, and whether the server has this device's keys as they are here, must be known before
 * anything is made, opened or signed: an answer from before our keys were uploaded would leave this device unsigned.
 */
import { outdatedAmong, queryOutdatedLists, receiveListChanges, trackPeople } from '../e2ee/device-lists.ts'
import { type KnownDevice, knownDevice } from '../e2ee/known-device.ts'
import { TrustError } from './errors.ts'
import type { TrustDeps } from './ports.ts'

/** A query that was under way is answered first, then ours. */
const maxQueries = 3

/** @throws ApiError, TrustError DEVICE_NOT_LISTED */
export async function refreshOwnList({
  machine,
  flush,
}: Pick<TrustDeps, 'machine' | 'flush'>): Promise<KnownDevice> {
  const { userId, deviceId } = machine
  await flush()
  await machine.run(async step => {
    await trackPeople(step, [userId])
    await receiveListChanges(step, [userId], [])
  })
  for (let i = 0; i < maxQueries; i++) {
    const isOutdated = await machine.run(async (step, context) => {
      await queryOutdatedLists(step, context)
      return (await outdatedAmong(step, context, [userId])).length > 0
    })
    if (!isOutdated) break
    await flush()
  }
  const device = await machine.run(step => knownDevice(step, userId, deviceId))
  // With other keys than ours the engine would have refused it.
  if (!device) throw new TrustError('DEVICE_NOT_LISTED', 'the server does not list this device with its keys')
  return device
}
