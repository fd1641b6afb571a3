/**
 * Sessions: access and refresh tokens, and the devices that they belong to.
 *
 * A client that hears of an unknown token forgets everything, its keys as well (soft_logout false): so only of what was ended is
 * that said. A token names the store's epoch that it was made in; one of an epoch that a restore took away is not unknown but
 * run out. Of a refresh token, which also ends by being used, the device tells.
 *
 * Only hashes of tokens are stored. A warm `readToken` is two Map lookups; the cache holds
 * what is durable and is dropped, a person at a time, after each commit that ends a token or changes the
 * account. No IP address is kept anywhere; "last seen" is the hour.
 *
 * Spec: client-server-api#client-authentication, #refreshing-access-tokens, #soft-logout
 */
import { type DeviceId, parseDeviceId, type UserId } from '../protocol/ids.ts'
import {
  type AccessTokenRow,
  type AccountKind,
  type AccountRow,
  accessTokenTable,
  accountTable,
  type DeviceRow,
  deviceTable,
  deviceTokenTable,
  refreshTokenTable,
} from '../store/catalogue.ts'
import type { Key } from '../store/key.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import { type Core, hashSecret, newSecret } from './core.ts'
import { isOfEpoch, tokenPrefix } from './token-epoch.ts'

export interface Requester {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly kind: AccountKind
  readonly tokenHash: string
}

/**
 * Spec: #account-locking. Of a locked account only logout answers; all else is 401 M_USER_LOCKED, soft_logout.
 * Spec: #account-suspension. Reads go on; what would act on others is 403 M_USER_SUSPENDED.
 */
export type Standing = 'good' | 'locked' | 'suspended'

export type TokenState =
  | { readonly kind: 'valid'; readonly requester: Requester; readonly standing: Standing }
  /** The token was ours and has run out: refresh it or log in again, the device is still there. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' }

/** What `http` needs to know who is asking. Warm answers come without a promise. */
export interface TokenReader {
  readToken(token: string): TokenState | Promise<TokenState>
}

export interface NewSession {
  readonly deviceId?: string | undefined
  readonly displayName?: string | undefined
  /** Does the client know refresh tokens? Otherwise its access token does not expire. */
  readonly refresh?: boolean | undefined
}

export interface Session {
  readonly userId: UserId
  readonly deviceId: DeviceId
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresInMs?: number
}

export interface Device extends DeviceRow {
  readonly deviceId: DeviceId
}

export interface Sessions extends TokenReader {
  /** For a person whose credentials were checked just now. */
  open(userId: UserId, session: NewSession): Promise<Session>
  openIn(tx: Transaction, userId: UserId, session: NewSession): Promise<Session>
  /** `device`: whose token the client says it is. It learns whether that device was removed. */
  refresh(refreshToken: string, device?: { userId: string; deviceId: string }): Promise<Session>
  /** Ends the session and removes its device. */
  logout(requester: Requester): Promise<void>
  logoutAll(userId: UserId): Promise<void>
  devices(userId: UserId): Promise<Device[]>
  device(userId: UserId, deviceId: string): Promise<Device | null>
  renameDevice(userId: UserId, deviceId: string, displayName: string): Promise<boolean>
  removeDevices(userId: UserId, deviceIds: readonly string[]): Promise<void>
  /** In a transaction of this user; call `core.forgetSessions` when it is durable. */
  removeAllDevicesIn(tx: Transaction, userId: UserId, except?: string): Promise<void>
  forget(userId: string): void
  forgetAll(): void
  /** Calls whenever the account or a session of this person may have changed, until the answer is called. */
  onChange(userId: string, listener: () => void): () => void
  /** Waits for what was started in the background (last seen, the end of replaced tokens). */
  settled(): Promise<void>
}

const accessLifetimeMs = 60 * 60 * 1000
const hourMs = 60 * 60 * 1000
const cachedTokens = 100_000
/** Tokens that are in use; in memory only, as they are in the requests that bring them. */
const rememberedHashes = 10_000
/** Everybody who shares a room gets the keys of all of them. */
const maxDevices = 1_000

interface CachedToken {
  readonly requester: Requester
  readonly valid: TokenState & { readonly kind: 'valid' }
  readonly expiresTs: number
  /** An external person's last day. */
  readonly accountExpiresTs: number
  seenHour: number
  replaces: AccessTokenRow['replaces']
}

export function openSessions(core: Core): Sessions {
  const { store, clock } = core
  const cache = new Map<string, CachedToken>()
  /** Of tokens that were good. Whether they still are, `cache` knows. */
  const hashes = new Map<string, string>()
  const hashesOf = new Map<string, Set<string>>()
  const background = new Set<Promise<void>>()
  const listeners = new Map<string, Set<() => void>>()
  // A load that began before a change must not be cached after it.
  let generation = 0

  const forget = (userId: string) => {
    generation++
    for (const hash of hashesOf.get(userId) ?? []) cache.delete(hash)
    hashesOf.delete(userId)
    for (const listener of [...(listeners.get(userId) ?? [])]) listener()
  }
  const forgetAll = () => {
    generation++
    cache.clear()
    hashesOf.clear()
  }
  store.onReset(forgetAll)

  const later = (what: string, work: Promise<void>) => {
    const done = work.catch(error => core.report(what, error)).finally(() => background.delete(done))
    background.add(done)
  }

  const judge = (token: CachedToken): TokenState => {
    const now = clock()
    if (now >= token.accountExpiresTs) return unknown
    if (now >= token.expiresTs) return expired
    const hour = Math.floor(now / hourMs)
    if (hour > token.seenHour) {
      token.seenHour = hour
      later('last seen was not written', noteSeen(token.requester, hour * hourMs))
    }
    if (token.replaces) {
      const replaced = token.replaces
      token.replaces = undefined
      later('a replaced token was not ended', settleRefresh(token.requester, replaced))
    }
    return token.valid
  }

  const load = async (hash: string): Promise<TokenState> => {
    const started = generation
    const rows = await store.read(async view => {
      const row = await view.get(accessTokenTable.key(hash))
      if (!row) return null
      const [account, device] = await view.getMany([
        accountTable.key(row.userId),
        deviceTable.key(row.userId, row.deviceId),
      ])
      return account && device ? { row, account, device } : null
    })
    if (!rows || rows.account.deactivatedTs !== undefined) return unknown
    const token = cached(hash, rows.row, rows.account, rows.device)
    if (generation === started) {
      if (cache.size >= cachedTokens) forgetAll()
      cache.set(hash, token)
      const hashes = hashesOf.get(rows.row.userId)
      if (hashes) hashes.add(hash)
      else hashesOf.set(rows.row.userId, new Set([hash]))
    }
    return judge(token)
  }

  const noteSeen = (requester: Requester, ts: number) =>
    store.transact(requester.userId, async tx => {
      const key = deviceTable.key(requester.userId, requester.deviceId)
      const device = await tx.get(key)
      if (device && (device.lastSeenTs ?? 0) < ts) tx.put(key, { ...device, lastSeenTs: ts })
    })

  // Spec: #refreshing-access-tokens. The old tokens live until one of the new ones is used.
  const settleRefresh = async (requester: Requester, replaced: { refresh: string; access?: string }) => {
    await store.transact(requester.userId, async tx => {
      endToken(tx, requester.userId, requester.deviceId, 'refresh', replaced.refresh)
      if (replaced.access) endToken(tx, requester.userId, requester.deviceId, 'access', replaced.access)
      const key = accessTokenTable.key(requester.tokenHash)
      const row = await tx.get(key)
      if (row) {
        const { replaces: _, ...rest } = row
        tx.put(key, rest)
      }
    })
    forget(requester.userId)
  }

  const openIn = async (tx: Transaction, userId: UserId, session: NewSession): Promise<Session> => {
    const deviceId = await chooseDeviceId(core, userId, session.deviceId)
    const deviceKey = deviceTable.key(userId, deviceId)
    const known = await tx.get(deviceKey)
    if (known) await endTokensOf(tx, userId, deviceId)
    else {
      const devices = await tx.range(deviceTable.under(userId), { limit: maxDevices })
      if (devices.length >= maxDevices)
        throw new AccountError(
          'M_LIMIT_EXCEEDED',
          `An account has at most ${maxDevices} devices: sign some of them out, or sign in with the device_id of one.`,
        )
      const displayName = session.displayName
      tx.put(deviceKey, { createdTs: clock(), ...(displayName === undefined ? {} : { displayName }) })
    }
    return putTokens(core, tx, userId, deviceId, { refresh: session.refresh === true })
  }

  const removeIn = async (tx: Transaction, userId: UserId, deviceId: DeviceId) => {
    for (const removed of core.deviceRemoved) await removed(tx, userId, deviceId)
    await endTokensOf(tx, userId, deviceId)
    tx.delete(deviceTable.key(userId, deviceId))
  }

  const removeAllDevicesIn = async (tx: Transaction, userId: UserId, except?: string) => {
    const devices = await tx.range(deviceTable.under(userId))
    for (const { parts } of devices) {
      if (parts[1] !== except) await removeIn(tx, userId, parts[1] as DeviceId)
    }
  }

  return {
    readToken: token => {
      const hash = hashes.get(token) ?? hashSecret(token)
      const known = cache.get(hash)
      if (!known) {
        const state = load(hash)
        return isOfEpoch(token, store.epoch) ? state : state.then(softly)
      }
      if (hashes.size >= rememberedHashes) hashes.clear()
      hashes.set(token, hash)
      return judge(known)
    },

    openIn,
    open: async (userId, session) => {
      const opened = await store.transact(userId, async tx => {
        await refuseUnlessUsable(tx, userId, clock())
        return openIn(tx, userId, session)
      })
      core.forgetSessions(userId)
      return opened
    },

    refresh: async (refreshToken, device) => {
      const hash = hashSecret(refreshToken)
      const { found, isGone } = await store.read(async view => ({
        found: await view.get(refreshTokenTable.key(hash)),
        isGone: device && !(await view.get(deviceTable.key(device.userId, device.deviceId))),
      }))
      if (!found) throw unknownRefreshToken(isGone && isOfEpoch(refreshToken, store.epoch))
      const userId = found.userId as UserId
      const session = await store.transact(userId, async tx => {
        const row = await tx.get(refreshTokenTable.key(hash))
        if (!row) throw unknownRefreshToken()
        await refuseUnlessUsable(tx, userId, clock())
        const deviceId = row.deviceId as DeviceId
        // What an earlier, unanswered refresh with this token gave out was never used: it ends.
        if (row.successor) {
          endToken(tx, userId, deviceId, 'access', row.successor.access)
          endToken(tx, userId, deviceId, 'refresh', row.successor.refresh)
        }
        // Using it also settles the refresh before it.
        if (row.replaces) {
          endToken(tx, userId, deviceId, 'refresh', row.replaces.refresh)
          if (row.replaces.access) endToken(tx, userId, deviceId, 'access', row.replaces.access)
        }
        const session = putTokens(core, tx, userId, deviceId, {
          refresh: true,
          replaces: { refresh: hash, access: row.access },
        })
        const { replaces: _, ...rest } = row
        tx.put(refreshTokenTable.key(hash), {
          ...rest,
          successor: {
            access: hashSecret(session.accessToken),
            refresh: hashSecret(session.refreshToken!),
          },
        })
        return session
      })
      core.forgetSessions(userId)
      return session
    },

    logout: async requester => {
      await store.transact(requester.userId, tx => removeIn(tx, requester.userId, requester.deviceId))
      core.forgetSessions(requester.userId)
    },

    logoutAll: async userId => {
      await store.transact(userId, tx => removeAllDevicesIn(tx, userId))
      core.forgetSessions(userId)
    },

    devices: userId =>
      store.read(async view =>
        (await view.range(deviceTable.under(userId))).map(row => ({
          deviceId: row.parts[1] as DeviceId,
          ...row.value,
        })),
      ),

    device: (userId, deviceId) =>
      store.read(async view => {
        const row = await view.get(deviceTable.key(userId, deviceId))
        return row ? { deviceId: deviceId as DeviceId, ...row } : null
      }),

    renameDevice: (userId, deviceId, displayName) =>
      store.transact(userId, async tx => {
        const key = deviceTable.key(userId, deviceId)
        const device = await tx.get(key)
        if (!device) return false
        tx.put(key, { ...device, displayName })
        for (const renamed of core.deviceRenamed) await renamed(tx, userId, deviceId as DeviceId)
        return true
      }),

    removeDevices: async (userId, deviceIds) => {
      await store.transact(userId, async tx => {
        const rows = await tx.getMany(deviceIds.map(id => deviceTable.key(userId, id)))
        for (const [i, deviceId] of deviceIds.entries()) {
          if (rows[i]) await removeIn(tx, userId, deviceId as DeviceId)
        }
      })
      core.forgetSessions(userId)
    },

    removeAllDevicesIn,
    forget,
    forgetAll,
    onChange: (userId, listener) => {
      const theirs = listeners.get(userId) ?? new Set()
      listeners.set(userId, theirs.add(listener))
      return () => {
        theirs.delete(listener)
        if (theirs.size === 0 && listeners.get(userId) === theirs) listeners.delete(userId)
      }
    },
    settled: async () => {
      while (background.size > 0) await Promise.all(background)
    },
  }
}

/** For what a request writes about its own person: the account may have ended since the token was looked at. */
export async function refuseIfDeactivated(
  tx: { get(key: Key<AccountRow>): Promise<AccountRow | undefined> },
  userId: UserId,
): Promise<void> {
  if ((await tx.get(accountTable.key(userId)))?.deactivatedTs !== undefined)
    throw new AccountError('M_USER_DEACTIVATED', 'This account was deactivated.')
}

/** Throws where nobody may sign in to this account now. */
export async function refuseUnlessUsable(
  tx: { get(key: Key<AccountRow>): Promise<AccountRow | undefined> },
  userId: UserId,
  now: number,
): Promise<AccountRow> {
  const account = await tx.get(accountTable.key(userId))
  if (!account) throw new AccountError('M_FORBIDDEN', 'This account does not exist.')
  if (account.deactivatedTs !== undefined)
    throw new AccountError('M_USER_DEACTIVATED', 'This account was deactivated.')
  if (account.expired || (account.expiresTs !== undefined && now >= account.expiresTs))
    throw new AccountError('M_FORBIDDEN', 'This account has ended; an administrator can extend it.')
  // Spec: #account-locking
  if (account.locked)
    throw new AccountError('M_USER_LOCKED', 'This account has been locked.', { soft_logout: true })
  return account
}

function cached(hash: string, row: AccessTokenRow, account: AccountRow, device: DeviceRow): CachedToken {
  const requester: Requester = Object.freeze({
    userId: row.userId as UserId,
    deviceId: row.deviceId as DeviceId,
    kind: account.kind,
    tokenHash: hash,
  })
  return {
    requester,
    valid: Object.freeze({ kind: 'valid', requester, standing: standingOf(account) }),
    expiresTs: row.expiresTs ?? Number.POSITIVE_INFINITY,
    accountExpiresTs: account.expired ? 0 : (account.expiresTs ?? Number.POSITIVE_INFINITY),
    seenHour: Math.floor((device.lastSeenTs ?? 0) / hourMs),
    replaces: row.replaces,
  }
}

const unknown: TokenState = Object.freeze({ kind: 'unknown' })
const expired: TokenState = Object.freeze({ kind: 'expired' })

function standingOf(account: AccountRow): Standing {
  if (account.locked) return 'locked'
  return account.suspended ? 'suspended' : 'good'
}

async function chooseDeviceId(core: Core, userId: UserId, wanted: string | undefined): Promise<DeviceId> {
  if (wanted === undefined) return newDeviceId(core)
  const deviceId = parseDeviceId(wanted)
  if (!deviceId)
    throw new AccountError('M_INVALID_PARAM', 'device_id must be 1 to 255 characters without controls.')
  // Spec: POST /login. The device id must not be a cross-signing key's.
  for (const refused of core.deviceIdRefused) {
    if (await refused(userId, deviceId))
      throw new AccountError('M_FORBIDDEN', 'device_id is the id of a cross-signing key.')
  }
  return deviceId
}

const deviceLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function newDeviceId(core: Core): DeviceId {
  return Array.from(core.randomBytes(12), byte => deviceLetters[byte % 32]).join('') as DeviceId
}

function putTokens(
  core: Core,
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
  options: { refresh: boolean; replaces?: { refresh: string; access?: string } },
): Session {
  const createdTs = core.clock()
  const accessToken = newSecret(core, tokenPrefix('access', core.store.epoch))
  const access = hashSecret(accessToken)
  const replaces = options.replaces ? { replaces: options.replaces } : {}
  tx.put(accessTokenTable.key(access), {
    userId,
    deviceId,
    createdTs,
    ...(options.refresh ? { expiresTs: createdTs + accessLifetimeMs } : {}),
    ...replaces,
  })
  tx.put(deviceTokenTable.key(userId, deviceId, access), 'access')
  if (!options.refresh) return { userId, deviceId, accessToken }

  const refreshToken = newSecret(core, tokenPrefix('refresh', core.store.epoch))
  const refresh = hashSecret(refreshToken)
  tx.put(refreshTokenTable.key(refresh), { userId, deviceId, createdTs, access, ...replaces })
  tx.put(deviceTokenTable.key(userId, deviceId, refresh), 'refresh')
  return { userId, deviceId, accessToken, refreshToken, expiresInMs: accessLifetimeMs }
}

async function endTokensOf(tx: Transaction, userId: string, deviceId: string): Promise<void> {
  for (const { parts, value } of await tx.range(deviceTokenTable.under(userId, deviceId)))
    endToken(tx, userId, deviceId, value, parts[2])
}

function endToken(
  tx: Transaction,
  userId: string,
  deviceId: string,
  kind: 'access' | 'refresh',
  hash: string,
): void {
  tx.delete(kind === 'access' ? accessTokenTable.key(hash) : refreshTokenTable.key(hash))
  tx.delete(deviceTokenTable.key(userId, deviceId, hash))
}

/** `isGone`: with the token its device; undefined: nobody asked about one. */
function unknownRefreshToken(isGone?: boolean): AccountError {
  const message = 'refresh_token is unknown or has been used.'
  return new AccountError('M_UNKNOWN_TOKEN', message, isGone === undefined ? {} : { soft_logout: !isGone })
}

function softly(state: TokenState): TokenState {
  return state.kind === 'unknown' ? expired : state
}
