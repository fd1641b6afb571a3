/**
 * People: the accounts of this server, their kinds, and what administrators may do to them.
 *
 * - member, administrator, service: full people; a service signs in by token or password.
 * - external: ends on a date, has a sponsor, is not in the directory, creates no rooms, sees only people
 *   with whom it shares a room. At the end its sessions end.
 *
 * A user id is never given out twice: a deactivated account's row stays.
 */
import { isNewLocalpart, serverOf, type UserId, userIdOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import {
  type AccountKind,
  type AccountRow,
  accountTable,
  enrolmentLinkTable,
  externalTable,
} from '../store/catalogue.ts'
import { rowVersion } from '../store/row-version.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import type { Core } from './core.ts'
import type { Passwords } from './passwords.ts'
import type { RegistrationTokens } from './registration-tokens.ts'
import type { NewSession, Session, Sessions } from './sessions.ts'

export interface Person extends AccountRow {
  readonly userId: UserId
}

export interface Registration {
  /** Made up where there is none. */
  readonly localpart?: string | undefined
  readonly passwordHash?: string | undefined
  /** Spent with it. */
  readonly registrationToken?: string | undefined
  /** null: no session is wanted. */
  readonly session: NewSession | null
}

export interface People {
  get(userId: UserId): Promise<Person | null>
  /** By user id, those after `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<Person[]>
  administrators(): Promise<UserId[]>
  /** The user id that this localpart would get; throws where it cannot be had. */
  available(localpart: string): Promise<UserId>
  register(registration: Registration): Promise<{ readonly userId: UserId; readonly session: Session | null }>
  /** A service with its first session; its token is shown once. */
  createService(actor: string, userId: UserId, session: NewSession): Promise<Session>
  /** Puts a new account's rows; the transaction owns the user id. */
  createIn(tx: Transaction, userId: UserId, account: AccountRow): Promise<void>
  /** `seen`, here and below: the version of the account on which the act was decided; another one refuses it. */
  setLocked(actor: string, userId: UserId, locked: boolean, seen?: string): Promise<void>
  setSuspended(actor: string, userId: UserId, suspended: boolean, seen?: string): Promise<void>
  setKind(actor: string, userId: UserId, kind: AccountKind, external?: External, seen?: string): Promise<void>
  /** Moves an external person's end; an ended one can sign in again. */
  setExpiry(actor: string, userId: UserId, expiresTs: number, seen?: string): Promise<void>
  /** Spec: admin module. Not deactivated, ours, not oneself, not another administrator. */
  moderable(actor: string, userId: UserId): Promise<Person>
  /** May this person know that the other exists? */
  maySee(requester: { readonly userId: UserId; readonly kind: AccountKind }, other: UserId): Promise<boolean>
  isExternal(userId: UserId): boolean
  /** Ends external people whose day has come; run by a duty. */
  expireDue(): Promise<void>
  /** After start and after a reset. */
  load(): Promise<void>
}

export interface External {
  readonly expiresTs: number
  readonly sponsor: UserId
}

export function openPeople(
  core: Core,
  audit: Audit,
  sessions: Sessions,
  passwords: Passwords,
  registrationTokens: RegistrationTokens,
): People {
  const { store, clock } = core
  /** When each external person ends; the few that there are, in memory. */
  const externals = new Map<string, number>()

  const get = async (userId: UserId): Promise<Person | null> => {
    const row = await store.read(view => view.get(accountTable.key(userId)))
    return row ? { userId, ...row } : null
  }

  const administrators = async (): Promise<UserId[]> => {
    const rows = await store.read(view => view.range(accountTable.under()))
    return rows
      .filter(({ value }) => value.kind === 'administrator' && value.deactivatedTs === undefined)
      .map(row => row.parts[0] as UserId)
  }

  const moderable = async (actor: string, userId: UserId): Promise<Person> => {
    if (serverOf(userId) !== core.serverName)
      throw new AccountError('M_INVALID_PARAM', 'userId does not belong to this server.')
    const person = await get(userId)
    if (!person || person.deactivatedTs !== undefined)
      throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
    if (actor !== userId && person.kind === 'administrator')
      throw new AccountError('M_FORBIDDEN', 'userId is another administrator.')
    return person
  }

  const change = async (
    actor: string,
    userId: UserId,
    action: string,
    detail: JsonObject | undefined,
    seen: string | undefined,
    next: (account: AccountRow, tx: Transaction) => AccountRow | Promise<AccountRow>,
  ): Promise<void> => {
    await store.transact(userId, async tx => {
      const account = await tx.get(accountTable.key(userId))
      if (!account || account.deactivatedTs !== undefined)
        throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
      mustBeAsSeen(account, seen)
      tx.put(accountTable.key(userId), await next(account, tx))
      await audit.record(tx, { actor, action, target: userId, ...(detail ? { detail } : {}) })
    })
    core.forgetSessions(userId)
  }

  const available = async (localpart: string): Promise<UserId> => {
    const userId = isNewLocalpart(localpart) ? userIdOf(localpart, core.serverName) : null
    if (!userId)
      throw new AccountError(
        'M_INVALID_USERNAME',
        'username may hold a–z, 0–9 and . _ = / + - and must fit into a user id of 255 characters.',
      )
    const taken = await store.read(async view => {
      if (await view.get(accountTable.key(userId))) return true
      const links = await view.range(enrolmentLinkTable.under())
      return links.some(({ value }) => value.userId === userId && clock() < value.expiresTs)
    })
    if (taken) throw new AccountError('M_USER_IN_USE', 'username is taken.')
    return userId
  }

  const createIn = async (tx: Transaction, userId: UserId, account: AccountRow) => {
    if (await tx.get(accountTable.key(userId))) throw new AccountError('M_USER_IN_USE', 'username is taken.')
    tx.put(accountTable.key(userId), account)
    if (account.expiresTs !== undefined) putExpiry(tx, userId, account.expiresTs)
  }

  const putExpiry = (tx: Transaction, userId: UserId, expiresTs: number) => {
    tx.put(externalTable.key(userId), expiresTs)
    tx.sequence(() => void externals.set(userId, expiresTs))
  }

  const expire = async (userId: UserId) => {
    await store.transact(userId, async tx => {
      const account = await tx.get(accountTable.key(userId))
      // Moved while we waited for our turn: its day comes later.
      if (account?.expiresTs !== undefined && account.expiresTs > clock()) return
      tx.delete(externalTable.key(userId))
      tx.sequence(() => void externals.delete(userId))
      if (account?.expiresTs === undefined || account.expired || account.deactivatedTs !== undefined) return
      tx.put(accountTable.key(userId), { ...account, expired: true })
      await sessions.removeAllDevicesIn(tx, userId)
      await audit.record(tx, { actor: 'system', action: 'account.expire', target: userId })
    })
    core.forgetSessions(userId)
  }

  const load = async () => {
    externals.clear()
    for (const { parts, value } of await store.read(view => view.range(externalTable.under())))
      externals.set(parts[0], value)
  }

  return {
    get,
    administrators,
    available,
    moderable,
    createIn,
    load,

    list: ({ after, limit }) =>
      store.read(async view => {
        const rows = await view.range(accountTable.under(), {
          limit,
          ...(after === undefined ? {} : { after: accountTable.key(after) }),
        })
        return rows.map(row => ({ userId: row.parts[0] as UserId, ...row.value }))
      }),

    register: async ({ localpart, passwordHash, registrationToken, session }) => {
      const userId = await available(localpart ?? madeUpLocalpart(core))
      const owners =
        registrationToken === undefined ? [userId] : [userId, registrationTokens.ownerOf(registrationToken)]
      const opened = await store.transact(owners, async tx => {
        await createIn(tx, userId, { kind: 'member', createdTs: clock() })
        if (registrationToken !== undefined) await registrationTokens.spendIn(tx, registrationToken)
        if (passwordHash !== undefined) passwords.putIn(tx, userId, passwordHash)
        await audit.record(tx, {
          actor: userId,
          action: 'account.register',
          target: userId,
          detail: { with: registrationToken === undefined ? 'open registration' : 'registration token' },
        })
        return session ? sessions.openIn(tx, userId, session) : null
      })
      return { userId, session: opened }
    },

    createService: (actor, userId, session) =>
      store.transact(userId, async tx => {
        await createIn(tx, userId, { kind: 'service', createdTs: clock() })
        await audit.record(tx, {
          actor,
          action: 'account.create',
          target: userId,
          detail: { kind: 'service' },
        })
        return sessions.openIn(tx, userId, session)
      }),

    setLocked: async (actor, userId, locked, seen) => {
      if (actor === userId) throw new AccountError('M_FORBIDDEN', 'You cannot lock your own account.')
      await moderable(actor, userId)
      await change(actor, userId, locked ? 'account.lock' : 'account.unlock', undefined, seen, account =>
        withFlag(account, 'locked', locked),
      )
    },

    setSuspended: async (actor, userId, suspended, seen) => {
      if (actor === userId) throw new AccountError('M_FORBIDDEN', 'You cannot suspend your own account.')
      await moderable(actor, userId)
      await change(
        actor,
        userId,
        suspended ? 'account.suspend' : 'account.unsuspend',
        undefined,
        seen,
        account => withFlag(account, 'suspended', suspended),
      )
    },

    setKind: async (actor, userId, kind, external, seen) => {
      if (kind === 'external' && !external)
        throw new AccountError('M_INVALID_PARAM', 'An external person needs expires_ts and sponsor.')
      if (external) await checkExternal(get, clock(), external)
      await store.transact([userId, administratorsOwner], async tx => {
        const account = await tx.get(accountTable.key(userId))
        if (!account || account.deactivatedTs !== undefined)
          throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
        mustBeAsSeen(account, seen)
        if (account.kind === 'administrator' && kind !== 'administrator')
          await keepAnAdministrator(tx, userId)
        const { expiresTs: _, sponsor: __, expired: ___, ...rest } = account
        tx.put(accountTable.key(userId), { ...rest, kind, ...(kind === 'external' ? external : {}) })
        if (kind === 'external' && external) putExpiry(tx, userId, external.expiresTs)
        else tx.delete(externalTable.key(userId))
        await audit.record(tx, {
          actor,
          action: 'account.kind',
          target: userId,
          detail: { from: account.kind, to: kind },
        })
      })
      if (kind !== 'external') externals.delete(userId)
      core.forgetSessions(userId)
    },

    setExpiry: async (actor, userId, expiresTs, seen) => {
      if (expiresTs <= clock()) throw new AccountError('M_INVALID_PARAM', 'expires_ts lies in the past.')
      await change(actor, userId, 'account.expiry', { expires_ts: expiresTs }, seen, (account, tx) => {
        if (account.kind !== 'external')
          throw new AccountError('M_INVALID_PARAM', 'userId is no external person: only those have an end.')
        putExpiry(tx, userId, expiresTs)
        const { expired: _, ...rest } = account
        return { ...rest, expiresTs }
      })
    },

    maySee: async (requester, other) => {
      if (requester.userId === other) return true
      // One whose time is over is no less external: asked of the account, not of the timer's list.
      const person = await get(other)
      if (requester.kind !== 'external' && person?.kind !== 'external') return true
      // External people see, and are seen by, those with whom they share a room; and their sponsor sees them.
      if (requester.kind === 'administrator') return true
      if ((await core.rooms.sharesRoomWith(requester.userId)).has(other)) return true
      return requester.kind !== 'external' && person?.sponsor === requester.userId
    },

    isExternal: userId => externals.has(userId),

    expireDue: async () => {
      // Nobody whose day has come is let in meanwhile: that is asked of the clock at each request. What waits is the end
      // of their sessions and devices, because that cannot be taken back.
      if (core.isClockInDoubt()) return
      const now = clock()
      for (const [userId, expiresTs] of externals) {
        if (expiresTs <= now) await expire(userId as UserId)
      }
    },
  }
}

/** Which state of an account it is that somebody looks at. */
export function versionOf({ userId: _, ...account }: Person): string {
  return rowVersion(account)
}

/** Throws where somebody changed the account since it was looked at. */
export function mustBeAsSeen(account: AccountRow, seen: string | undefined): void {
  if (seen === undefined || rowVersion(account) === seen) return
  throw new AccountError(
    'M_BAD_STATE',
    'Somebody changed this account since you looked at it. Look again, then decide.',
    { 'org.letro.reason': 'CHANGED' },
  )
}

/** Two administrators must not remove each other at the same moment. */
export const administratorsOwner = 'administrators'

/** In a transaction that owns `administratorsOwner`. */
export async function keepAnAdministrator(tx: Transaction, leaving: UserId): Promise<void> {
  const rows = await tx.range(accountTable.under())
  const others = rows.some(
    ({ parts, value }) =>
      parts[0] !== leaving && value.kind === 'administrator' && value.deactivatedTs === undefined,
  )
  if (!others)
    throw new AccountError('M_FORBIDDEN', 'This is the last administrator: make somebody else one first.')
}

export async function checkExternal(
  get: (userId: UserId) => Promise<Person | null>,
  now: number,
  { expiresTs, sponsor }: External,
): Promise<void> {
  if (expiresTs <= now) throw new AccountError('M_INVALID_PARAM', 'expires_ts lies in the past.')
  const person = await get(sponsor)
  if (!person || person.deactivatedTs !== undefined || person.kind === 'external')
    throw new AccountError('M_INVALID_PARAM', 'sponsor must be a member or an administrator of this server.')
}

function withFlag(account: AccountRow, flag: 'locked' | 'suspended', value: boolean): AccountRow {
  const { [flag]: _, ...rest } = account
  return value ? { ...rest, [flag]: true } : rest
}

function madeUpLocalpart(core: Core): string {
  return `u${Array.from(core.randomBytes(10), byte => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('')}`
}
