/** How the key directory and accounts know each other: `app.ts` calls `followAccounts` once, before anybody signs in. */
import type { Accounts } from '../accounts/accounts.ts'
import type { DeviceId } from '../protocol/ids.ts'
import { accountTable, deviceTable } from '../store/catalogue.ts'
import type { Store } from '../store/store.ts'
import type { Keys } from './keys.ts'
import type { DeviceDirectory } from './ports.ts'

/** The devices that accounts keeps, within whatever view the key directory works on. */
export const localDevices: DeviceDirectory = {
  async devicesOf(view, userId) {
    const [account, devices] = await Promise.all([
      view.get(accountTable.key(userId)),
      view.range(deviceTable.under(userId)),
    ])
    if (!account || account.deactivatedTs !== undefined) return null
    return new Map(devices.map(({ parts, value }) => [parts[1] as DeviceId, value]))
  },
}

/** What accounts does to devices and people happens to their keys in the same batch. */
export function followAccounts(
  accounts: Pick<Accounts, 'onDeviceRemoved' | 'onDeviceRenamed' | 'onAccountRemoved' | 'refuseDeviceIds'>,
  keys: Keys,
  store: Store,
): void {
  accounts.onDeviceRemoved((tx, userId, deviceId) => keys.removeDevice(tx, userId, deviceId))
  accounts.onDeviceRenamed((tx, userId, deviceId) => keys.deviceRenamed(tx, userId, deviceId))
  accounts.onAccountRemoved((tx, userId) => keys.removeAccount(tx, userId))
  accounts.refuseDeviceIds((userId, deviceId) =>
    store.read(view => keys.isCrossSigningKey(view, userId, deviceId)),
  )
}
