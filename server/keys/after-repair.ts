/**
 * Repair and restore raise the store's epoch: what stands here may be older than what was known, and others may know more.
 *
 * Nobody knows which one-time keys were given out since: all go, and devices are asked for new ones. Which device lists of
 * other servers are whole is not known either: a device that was removed there meanwhile would go on getting keys. And
 * lists move to positions of this epoch, so that whoever holds a list of the time that was lost asks again.
 *
 * May be broken off and run again: the epoch is noted last.
 */
import {
  deviceListFeedTable,
  deviceListPlaceTable,
  keyCountsTable,
  keysSettingTable,
  oneTimeKeyTable,
  remoteDeviceListTable,
} from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'

const rowsAtOnce = 2_000

export async function leaveOtherEpoch(store: Store): Promise<void> {
  const epochKey = keysSettingTable.key('epoch')
  const epoch = await store.read(view => view.get(epochKey))
  if (epoch === store.epoch) return
  if (epoch !== undefined) {
    await dropAllOneTimeKeys(store)
    await forgetRemoteDeviceLists(store)
    await moveDeviceLists(store)
  }
  await store.transact('keys', tx => tx.put(epochKey, store.epoch))
}

async function dropAllOneTimeKeys(store: Store): Promise<void> {
  for (;;) {
    const keys = await store.read(view => view.range(oneTimeKeyTable.under(), { limit: rowsAtOnce }))
    if (keys.length === 0) break
    await store.transact('keys', tx => {
      for (const { key } of keys) tx.delete(key)
    })
  }
  let after: string | undefined
  for (;;) {
    const devices = await store.read(view =>
      view.range(
        keyCountsTable.under(),
        after === undefined ? { limit: rowsAtOnce } : { limit: rowsAtOnce, after },
      ),
    )
    if (devices.length === 0) break
    after = devices.at(-1)!.key
    await store.transact('keys', tx => {
      tx.sequence((next, rows) => {
        const changed = next()
        for (const { key, value } of devices) rows.put(key, { ...value, counts: {}, changed })
      })
    })
  }
}

/** Whoever needs one asks its server. */
async function forgetRemoteDeviceLists(store: Store): Promise<void> {
  for (;;) {
    const lists = await store.read(view => view.range(remoteDeviceListTable.under(), { limit: rowsAtOnce }))
    if (lists.length === 0) return
    await store.transact('keys', tx => {
      for (const { key } of lists) tx.delete(key)
    })
  }
}

async function moveDeviceLists(store: Store): Promise<void> {
  let after: string | undefined
  for (;;) {
    const options = { limit: rowsAtOnce, ...(after === undefined ? {} : { after }) }
    const places = await store.read(view => view.range(deviceListPlaceTable.under(), options))
    if (places.length === 0) return
    after = places.at(-1)!.key
    await store.transact('keys', tx => {
      tx.sequence((next, rows) => {
        for (const { key, parts, value } of places) {
          const position = next()
          rows.delete(deviceListFeedTable.key(value))
          rows.put(deviceListFeedTable.key(position), parts[0])
          rows.put(key, position)
        }
      })
    })
  }
}
