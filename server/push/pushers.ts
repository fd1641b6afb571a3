/**
 * Pushers: the browsers that a person wants to be rung in. One belongs to the session that set it, and ends with it.
 *
 * Spec: client-server-api#post_matrixclientv3pushersset
 */
import type { DeviceId, UserId } from '../protocol/ids.ts'
import { deviceTable, type PusherRow, pusherTable, ringTable } from '../store/catalogue.ts'
import type { Store, Transaction } from '../store/store.ts'
import { openDurableCache } from './durable-cache.ts'
import { PushError } from './push-error.ts'

export interface Pusher extends PusherRow {
  readonly userId: UserId
  readonly appId: string
  readonly pushKey: string
}

export interface Pushers {
  of(userId: UserId): Promise<readonly Pusher[]>
  /** `append`: others may go on with the same app and push key. */
  set(pusher: Omit<Pusher, 'createdTs'>, append: boolean): Promise<void>
  remove(which: Pick<Pusher, 'userId' | 'appId' | 'pushKey'>): Promise<void>
  /** The transaction owns the user id. */
  removeOfDeviceIn(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void>
  removeAllIn(tx: Transaction, userId: UserId): Promise<void>
}

/** A person's browsers, the forgotten ones included. */
const maxPushers = 50
const maxPeopleInMemory = 10_000

export function openPushers({ store, clock }: { store: Store; clock: () => number }): Pushers {
  const people = openDurableCache<UserId, readonly Pusher[]>({
    store,
    kind: 'user',
    maxEntries: maxPeopleInMemory,
    load: userId =>
      store.read(async view =>
        (await view.range(pusherTable.under(userId))).map(({ parts, value }) => ({
          userId,
          appId: parts[1],
          pushKey: parts[2],
          ...value,
        })),
      ),
  })

  const removeIn = (tx: Transaction, userId: string, appId: string, pushKey: string) => {
    tx.delete(pusherTable.key(userId, appId, pushKey))
    tx.delete(ringTable.key(userId, appId, pushKey))
    tx.announce(`user:${userId}`)
  }

  const removeIfIn = async (tx: Transaction, userId: UserId, gone: (row: PusherRow) => boolean) => {
    for (const { parts, value } of await tx.range(pusherTable.under(userId)))
      if (gone(value)) removeIn(tx, ...parts)
  }

  return {
    of: userId => people.get(userId),

    set: ({ userId, appId, pushKey, ...pusher }, append) =>
      store.transact([userId, 'pushers'], async tx => {
        // The session may have ended since the request was let in.
        if (!(await tx.get(deviceTable.key(userId, pusher.deviceId))))
          throw new PushError('M_UNKNOWN_TOKEN', 'This session has ended.')
        const own = await tx.range(pusherTable.under(userId))
        const isNew = !own.some(({ parts }) => parts[1] === appId && parts[2] === pushKey)
        if (isNew && own.length >= maxPushers)
          throw new PushError(
            'M_LIMIT_EXCEEDED',
            `A person has at most ${maxPushers} pushers: remove old ones.`,
          )
        if (!append) {
          for (const { parts } of await tx.range(pusherTable.under())) {
            if (parts[0] !== userId && parts[1] === appId && parts[2] === pushKey) removeIn(tx, ...parts)
          }
        }
        tx.put(pusherTable.key(userId, appId, pushKey), { ...pusher, createdTs: clock() })
        tx.announce(`user:${userId}`)
      }),

    remove: ({ userId, appId, pushKey }) =>
      store.transact([userId, 'pushers'], tx => removeIn(tx, userId, appId, pushKey)),

    removeOfDeviceIn: (tx, userId, deviceId) => removeIfIn(tx, userId, row => row.deviceId === deviceId),
    removeAllIn: (tx, userId) => removeIfIn(tx, userId, () => true),
  }
}
