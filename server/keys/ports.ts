/** What the key directory needs of others; `app.ts` hands it in. */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import type { View } from '../store/store.ts'

export interface DeviceNames {
  readonly displayName?: string
}

export interface DeviceDirectory {
  /**
   * The user's devices as this view sees them: inside a transaction that owns the user, no device comes or goes
   * meanwhile. null: there is no such person here (any more).
   */
  devicesOf(view: View, userId: UserId): Promise<ReadonlyMap<DeviceId, DeviceNames> | null>
}
