/**
 * Passwords, where the configuration turns them on: for bots, test suites and migration.
 *
 * Unknown people cost the same time as known ones: their password is checked against a decoy hash, and the
 * refusal is the same sentence.
 */
import { localpartOf, parseUserId, serverOf, type UserId, userIdOf } from '../protocol/ids.ts'
import { passwordTable } from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { AccountError } from './account-error.ts'
import { type Core, newSecret } from './core.ts'
import { refuseUnlessUsable, type Sessions } from './sessions.ts'

export interface Passwords {
  readonly enabled: boolean
  /** The person, if the password is theirs and the account may be used. `user` is a user id or a localpart. */
  check(user: string, password: string): Promise<UserId>
  /** Does what a person typed name this one? */
  isAbout(user: string, userId: UserId): boolean
  has(userId: UserId): Promise<boolean>
  /** Throws where it is too weak. */
  checkStrength(password: string): void
  /** Hashes outside any transaction: it takes long. */
  prepare(password: string): Promise<string>
  putIn(tx: Transaction, userId: UserId, hash: string): void
  change(
    userId: UserId,
    password: string,
    options: { readonly keepDevice?: string; readonly logoutDevices: boolean },
  ): Promise<void>
}

const shortest = 8
const longest = 512

export function openPasswords(core: Core, sessions: Sessions): Passwords {
  const { store, passwordHasher } = core
  let decoy: Promise<string> | null = null
  const decoyHash = () => (decoy ??= passwordHasher.hash(newSecret(core, 'decoy')))
  if (core.passwords) {
    decoyHash().catch(error => {
      decoy = null
      core.report('the decoy password could not be hashed', error)
    })
  }

  const checkStrength = (password: string) => {
    if (password.length < shortest)
      throw new AccountError('M_WEAK_PASSWORD', `The password must have at least ${shortest} characters.`)
    if (password.length > longest)
      throw new AccountError('M_INVALID_PARAM', `The password has more than ${longest} characters.`)
  }

  const prepare = async (password: string) => {
    checkStrength(password)
    return passwordHasher.hash(password)
  }

  return {
    get enabled() {
      return core.passwords
    },

    check: async (user, password) => {
      if (!core.passwords) throw new AccountError('M_FORBIDDEN', 'Passwords are turned off on this server.')
      const userId = localUserId(core, user)
      const row = userId ? await store.read(view => view.get(passwordTable.key(userId))) : undefined
      const right =
        password.length <= longest &&
        (await passwordHasher.verify(row?.hash ?? (await decoyHash()), password))
      if (!userId || !row || !right)
        throw new AccountError('M_FORBIDDEN', 'The user or the password is wrong.')
      await store.read(view => refuseUnlessUsable(view, userId, core.clock()))
      return userId
    },

    isAbout: (user, userId) => localUserId(core, user) === userId,

    has: async userId =>
      core.passwords && (await store.read(view => view.get(passwordTable.key(userId)))) !== undefined,

    checkStrength,
    prepare,

    putIn: (tx, userId, hash) => tx.put(passwordTable.key(userId), { hash, changedTs: core.clock() }),

    change: async (userId, password, { keepDevice, logoutDevices }) => {
      const hash = await prepare(password)
      await store.transact(userId, async tx => {
        await refuseUnlessUsable(tx, userId, core.clock())
        tx.put(passwordTable.key(userId), { hash, changedTs: core.clock() })
        if (logoutDevices) await sessions.removeAllDevicesIn(tx, userId, keepDevice)
      })
      core.forgetSessions(userId)
    },
  }
}

/**
 * A user id of this server from what a person typed: `@name:server`, or the localpart alone. All localparts here
 * are lower case, whatever case they are typed in. Spec: appendices#user-identifiers
 */
export function localUserId(core: Pick<Core, 'serverName'>, user: string): UserId | null {
  const whole = parseUserId(user)
  if (whole && serverOf(whole) !== core.serverName) return null
  if (!whole && user.startsWith('@')) return null
  return userIdOf((whole ? localpartOf(whole) : user).toLowerCase(), core.serverName)
}
