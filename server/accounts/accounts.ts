/**
 * Accounts: people, their passkeys and passwords, sessions and devices, profiles and account data, and the audit
 * of what administrators do. This file opens the area and wires its parts.
 */
import type { ServerName, UserId } from '../protocol/ids.ts'
import {
  accessTokenTable,
  accountSettingTable,
  accountTable,
  commandLineTable,
  deviceTokenTable,
  refreshTokenTable,
  repairs,
} from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import { type AccountData, openAccountData } from './account-data.ts'
import { AccountError } from './account-error.ts'
import { type Audit, openAudit } from './audit.ts'
import { type CommandLines, openCommandLines } from './command-lines.ts'
import type { AccountRemoved, AccountsDeps, Core, DeviceRemoved, DeviceRenamed } from './core.ts'
import { type Deactivation, openDeactivation } from './deactivation.ts'
import { type Directory, openDirectory } from './directory.ts'
import { type Endings, openEndings } from './endings.ts'
import { type Enrolment, openEnrolment } from './enrolment.ts'
import { type LoginTokens, openLoginTokens } from './login-tokens.ts'
import { type Notice, tellAdministratorsIn } from './notices.ts'
import { type OpenId, openOpenId } from './open-id.ts'
import { type OrphanedRooms, openOrphanedRooms } from './orphaned-rooms.ts'
import { openPasskeys, type Passkeys } from './passkeys.ts'
import { openPasswords, type Passwords } from './passwords.ts'
import { openPeople, type People } from './people.ts'
import { openPeopleSearch, type PeopleSearch } from './people-search.ts'
import { openProfiles, type Profiles } from './profiles.ts'
import { openRegistrationTokens, type RegistrationTokens } from './registration-tokens.ts'
import { openRoster, type Roster } from './roster.ts'
import { openSessions, type Sessions, type TokenReader } from './sessions.ts'

export { AccountError } from './account-error.ts'
export { isCommandToken } from './command-lines.ts'
export type { AccountsDeps, PasswordHasher, RoomsPort } from './core.ts'
export type { Requester, Session, TokenReader, TokenState } from './sessions.ts'

export interface Accounts extends TokenReader {
  readonly serverName: ServerName
  readonly registration: 'invite' | 'open'
  readonly people: People
  readonly peopleSearch: PeopleSearch
  readonly orphanedRooms: OrphanedRooms
  readonly sessions: Sessions
  readonly passwords: Passwords
  readonly passkeys: Passkeys
  readonly loginTokens: LoginTokens
  readonly commandLines: CommandLines
  readonly enrolment: Enrolment
  readonly roster: Roster
  readonly registrationTokens: RegistrationTokens
  readonly profiles: Profiles
  readonly accountData: AccountData
  readonly directory: Directory
  readonly deactivation: Deactivation
  readonly openId: OpenId
  readonly audit: Audit
  readonly endings: Endings
  /** What every administrator must hear of, in the account data of each. */
  tellAdministrators(action: string, target: UserId | ServerName): Promise<void>
  /** The same, to these people, in a transaction that owns them; once in it. */
  tellIn(tx: Transaction, told: readonly UserId[], notices: readonly Notice[]): Promise<void>
  /** In the batch that removes a device: its keys and inbox go with it. */
  onDeviceRemoved(hook: DeviceRemoved): void
  /** In the batch that gives a device another name: others see it with its keys. */
  onDeviceRenamed(hook: DeviceRenamed): void
  /** In the batch that deactivates an account. */
  onAccountRemoved(hook: AccountRemoved): void
  /** Device ids that must not be given out: those of cross-signing keys. */
  refuseDeviceIds(refused: (userId: UserId, deviceId: string) => Promise<boolean>): void
  /** Takes up what a stop left undone: ends that came meanwhile, profiles on their way, rooms to leave. */
  start(): Promise<void>
  /** Waits for what runs in the background. */
  settled(): Promise<void>
  close(): Promise<void>
}

export async function openAccounts(deps: AccountsDeps): Promise<Accounts> {
  const report = deps.report ?? (() => {})
  const core: Core = {
    ...deps,
    // Asked anew each time: an administrator changes them while the server runs.
    get registration() {
      return deps.registration
    },
    get passwords() {
      return deps.passwords
    },
    report,
    isClockInDoubt: deps.isClockInDoubt ?? (() => false),
    deviceRemoved: [],
    deviceRenamed: [],
    accountRemoved: [],
    deviceIdRefused: [],
    forgetSessions: userId => sessions.forget(userId),
  }
  const { store, clock } = core

  const audit = openAudit(store, clock)
  const sessions = openSessions(core)
  const passwords = openPasswords(core, sessions)
  const registrationTokens = openRegistrationTokens(core, audit)
  const people = openPeople(core, audit, sessions, passwords, registrationTokens)
  const accountData = openAccountData(core)
  const profiles = openProfiles(core)
  const passkeys = openPasskeys(core, audit, userId => {
    tellAdministrators('passkey.counter-regression', userId).catch(error =>
      report('administrators could not be told', error),
    )
  })
  const loginTokens = openLoginTokens(core, audit, sessions)
  const commandLines = openCommandLines(core, audit)
  const enrolment = openEnrolment(core, audit, people, sessions, passkeys, profiles, accountData)
  const roster = openRoster(core, audit, people)
  const deactivation = openDeactivation(core, audit, people, sessions, passkeys, profiles, accountData)
  const directory = openDirectory(core, people)
  const endings = openEndings(core, people, accountData)
  const openId = openOpenId(core)

  const tellAdministrators = async (action: string, target: UserId | ServerName) => {
    const told = await people.administrators()
    if (told.length === 0) return
    await store.transact(told, tx =>
      tellAdministratorsIn(tx, accountData, told, [{ action, target }], clock()),
    )
  }

  await refuseAnotherHost(core, passkeys.rpId)
  await revokeAfterRepair(core, audit, registrationTokens)
  await people.load()
  store.onReset(() => void people.load().catch(error => report('external people could not be read', error)))

  const settled = async () => {
    await Promise.all([sessions.settled(), profiles.settled(), deactivation.settled()])
  }

  return {
    serverName: core.serverName,
    get registration() {
      return core.registration
    },
    people,
    peopleSearch: openPeopleSearch(core),
    orphanedRooms: openOrphanedRooms(core, audit),
    sessions,
    passwords,
    passkeys,
    loginTokens,
    commandLines,
    enrolment,
    roster,
    registrationTokens,
    profiles,
    accountData,
    directory,
    deactivation,
    openId,
    audit,
    endings,
    tellAdministrators,
    tellIn: (tx, told, notices) => tellAdministratorsIn(tx, accountData, told, notices, clock()),
    readToken: sessions.readToken,
    onDeviceRemoved: hook => void core.deviceRemoved.push(hook),
    onDeviceRenamed: hook => void core.deviceRenamed.push(hook),
    onAccountRemoved: hook => void core.accountRemoved.push(hook),
    refuseDeviceIds: refused => void core.deviceIdRefused.push(refused),
    start: async () => {
      await people.expireDue()
      await deactivation.resume()
      await profiles.resume()
    },
    settled,
    close: async () => {
      profiles.stop()
      deactivation.stop()
      await settled()
    },
  }
}

/** A changed host orphans every passkey and every vault that one wraps. */
async function refuseAnotherHost(core: Core, rpId: string): Promise<void> {
  const frozen = await core.store.read(view => view.get(accountSettingTable.key('rpId')))
  if (frozen === undefined || frozen === rpId) return
  throw new AccountError(
    'M_INVALID_PARAM',
    `server.origin has the host ${rpId}, but passkeys were made for ${frozen}. With another host every passkey, ` +
      `and everything that is sealed with one, would be lost: put ${frozen} back.`,
  )
}

/**
 * Repair and restore raise the store's epoch, and may bring back rows that were deleted: a token that was
 * logged out, a link that was used. None of the old ones is trusted any more; people sign in again.
 */
async function revokeAfterRepair(
  core: Core,
  audit: Audit,
  registrationTokens: RegistrationTokens,
): Promise<void> {
  const { store } = core
  const known = await store.read(async view => {
    const epoch = await view.get(accountSettingTable.key('epoch'))
    const anybody = (await view.range(accountTable.under(), { limit: 1 })).length > 0
    const reason = (await view.get(repairs.key(store.epoch)))?.reason ?? 'repair'
    return { epoch, anybody, reason }
  })
  if (known.epoch === store.epoch) return
  await store.transact('accounts', async tx => {
    if (known.epoch !== undefined || known.anybody) {
      // Run out, not unknown: a client then signs in again as the same device and keeps its keys.
      for (const { key, value } of await tx.range(accessTokenTable.under())) {
        const { replaces: _, ...rest } = value
        tx.put(key, { ...rest, expiresTs: 0 })
      }
      for (const { key, parts, value } of await tx.range(refreshTokenTable.under())) {
        tx.delete(key)
        tx.delete(deviceTokenTable.key(value.userId, value.deviceId, parts[0]))
      }
      for (const { key } of await tx.range(commandLineTable.under())) tx.delete(key)
      await registrationTokens.removeAllIn(tx)
      const action = known.reason === 'restore' ? 'store.restored' : 'store.repaired'
      await audit.record(tx, { actor: 'system', action, detail: { epoch: store.epoch } })
    }
    tx.put(accountSettingTable.key('epoch'), store.epoch)
  })
}
