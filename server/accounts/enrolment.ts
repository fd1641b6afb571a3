/**
 * Enrolment links: how a person gets their first passkey, or starts again with a new one.
 *
 * The secret stands in the link's fragment, which browsers send to nobody; we keep its hash. A link is bound to
 * one user id and is consumed in the batch that stores the new passkey, never by opening it: mail scanners
 * and second thoughts do no harm. A link for an existing account revokes, in that same batch, the account's
 * passkeys, password, sessions and devices.
 */
import { localpartOf, serverOf, type UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import {
  type AccountKind,
  accountTable,
  type EnrolmentLinkRow,
  enrolmentLinkTable,
  passwordTable,
} from '../store/catalogue.ts'
import type { Transaction } from '../store/store.ts'
import type { AccountData } from './account-data.ts'
import { AccountError } from './account-error.ts'
import type { Audit } from './audit.ts'
import { type Core, hashSecret, newSecret } from './core.ts'
import { newCode, secretIn, shownCode } from './enrolment-code.ts'
import { tellAdministratorsIn } from './notices.ts'
import type { Passkeys } from './passkeys.ts'
import { checkExternal, type External, type People } from './people.ts'
import type { Profiles } from './profiles.ts'
import type { NewSession, Session, Sessions } from './sessions.ts'

export interface NewLink {
  readonly secret: string
  /** The URL to hand over: it is the key to the account until it is used or runs out. */
  readonly url: string
  readonly id: string
  readonly userId: UserId
  readonly expiresTs: number
  /** What may be typed instead of opening the link, where one was asked for. */
  readonly code?: string
}

export interface EnrolmentLink extends EnrolmentLinkRow {
  readonly id: string
}

export interface LinkOptions {
  readonly lifetimeMs?: number | undefined
  readonly kind?: AccountKind | undefined
  readonly displayName?: string | undefined
  readonly external?: External | undefined
  /** With a secret that can be typed; such a link lives a day where nothing is said. */
  readonly code?: boolean | undefined
  /** The open link of this person that the caller knows of, null for none: another one refuses. Not given: any is replaced. */
  readonly replaces?: string | null | undefined
}

export interface EnrolmentBegun {
  readonly userId: UserId
  readonly purpose: EnrolmentLinkRow['purpose']
  readonly kind: AccountKind
  readonly expiresTs: number
  readonly displayName?: string
  readonly options: JsonObject
}

export interface Enrolment {
  /** For a person who has no account yet. */
  createLink(actor: string, userId: UserId, options: LinkOptions): Promise<NewLink>
  /** For one who has: a lost device, a suspicion. Nothing changes until the link is used. */
  createReEnrolmentLink(actor: string, userId: UserId, options: LinkOptions): Promise<NewLink>
  /** A link whose secret was made elsewhere (the local command): all administrators are told. */
  recoverAdministrator(userId: UserId, secretHash: string, lifetimeMs?: number): Promise<EnrolmentLink>
  /** While no administrator exists: a new link at each start; the one before it ends. */
  firstAdministratorLink(localpart?: string): Promise<NewLink | null>
  links(): Promise<EnrolmentLink[]>
  removeLink(actor: string, id: string): Promise<boolean>
  begin(secret: string): Promise<EnrolmentBegun>
  complete(
    secret: string,
    attestation: JsonObject,
    passkeyName: string,
    session: NewSession | null,
  ): Promise<{ readonly userId: UserId; readonly session: Session | null }>
}

export const linkLifetimeMs = 7 * 24 * 60 * 60 * 1000
const longestLifetimeMs = 90 * 24 * 60 * 60 * 1000
const codeLifetimeMs = 24 * 60 * 60 * 1000
const recoveryLifetimeMs = 24 * 60 * 60 * 1000

export function openEnrolment(
  core: Core,
  audit: Audit,
  people: People,
  sessions: Sessions,
  passkeys: Passkeys,
  profiles: Profiles,
  accountData: AccountData,
): Enrolment {
  const { store, clock } = core

  const readLink = async (
    view: Pick<Transaction, 'get'>,
    secretHash: string,
  ): Promise<EnrolmentLinkRow & { userId: UserId }> => {
    const link = await view.get(enrolmentLinkTable.key(secretHash))
    // The reason lets the page say it in the person's language.
    if (!link)
      throw new AccountError('M_FORBIDDEN', 'This link is not known, or was used already.', {
        'org.letro.reason': 'link_unknown',
      })
    if (clock() >= link.expiresTs)
      throw new AccountError('M_FORBIDDEN', 'This link has expired. Ask your administrator for a new one.', {
        'org.letro.reason': 'link_expired',
      })
    return link as EnrolmentLinkRow & { userId: UserId }
  }

  const putLink = async (
    tx: Transaction,
    link: EnrolmentLinkRow,
    secretHash: string,
    action: string,
    replaces?: string | null,
  ): Promise<void> => {
    let open: string | null = null
    // One open link a person: a new one ends what was handed out before. What ran out goes as well.
    for (const { key, parts, value } of await tx.range(enrolmentLinkTable.under())) {
      const isOver = clock() >= value.expiresTs
      if (value.userId === link.userId && !isOver) open = parts[0]
      if (value.userId === link.userId || isOver) tx.delete(key)
    }
    if (replaces !== undefined && replaces !== open)
      throw new AccountError(
        'M_BAD_STATE',
        'Somebody made or withdrew a link for this person since you looked. Look again, then decide.',
        { 'org.letro.reason': 'CHANGED' },
      )
    tx.put(enrolmentLinkTable.key(secretHash), link)
    await audit.record(tx, {
      actor: link.createdBy,
      action,
      target: link.userId,
      detail: { link: secretHash, kind: link.kind, expires_ts: link.expiresTs },
    })
  }

  return {
    createLink: async (actor, userId, options) => {
      if (serverOf(userId) !== core.serverName)
        throw new AccountError('M_INVALID_PARAM', 'user_id does not belong to this server.')
      const kind = options.kind ?? 'member'
      if (kind === 'external' && !options.external)
        throw new AccountError('M_INVALID_PARAM', 'An external person needs expires_ts and sponsor.')
      if (kind !== 'external' && options.external)
        throw new AccountError('M_INVALID_PARAM', 'expires_ts and sponsor are for external people only.')
      if (options.external) await checkExternal(people.get, clock(), options.external)
      const link = linkFor(core, userId, options)
      const { expiresTs } = link
      // The name must be free, but for an earlier link to the same person.
      if (!(await isReserved(userId))) await people.available(localpartOf(userId))
      await store.transact([userId, linksOwner], async tx => {
        if (await tx.get(accountTable.key(userId)))
          throw new AccountError('M_USER_IN_USE', 'user_id has an account already: make a re-enrolment link.')
        const row: EnrolmentLinkRow = {
          userId,
          purpose: 'enrol',
          kind,
          createdTs: clock(),
          createdBy: actor,
          expiresTs,
          ...(options.displayName === undefined ? {} : { displayName: options.displayName }),
          ...(options.external
            ? { accountExpiresTs: options.external.expiresTs, sponsor: options.external.sponsor }
            : {}),
        }
        await putLink(tx, row, link.id, 'enrolment-link.create', options.replaces)
      })
      return link
    },

    createReEnrolmentLink: async (actor, userId, options) => {
      const link = linkFor(core, userId, options)
      const { expiresTs } = link
      await store.transact([userId, linksOwner], async tx => {
        const account = await tx.get(accountTable.key(userId))
        if (!account || account.deactivatedTs !== undefined)
          throw new AccountError('M_NOT_FOUND', 'userId names nobody here, or somebody who was deactivated.')
        const row: EnrolmentLinkRow = {
          userId,
          purpose: 're-enrol',
          kind: account.kind,
          createdTs: clock(),
          createdBy: actor,
          expiresTs,
        }
        await putLink(tx, row, link.id, 're-enrolment-link.create', options.replaces)
      })
      return link
    },

    recoverAdministrator: async (userId, secretHash, lifetimeMs) => {
      const expiresTs = clock() + lifetime(lifetimeMs, recoveryLifetimeMs)
      const told = await people.administrators()
      const row = await store.transact([userId, linksOwner, ...told], async tx => {
        const account = await tx.get(accountTable.key(userId))
        if (account?.kind !== 'administrator' || account.deactivatedTs !== undefined)
          throw new AccountError('M_NOT_FOUND', `${userId} is no administrator of this server.`)
        const row: EnrolmentLinkRow = {
          userId,
          purpose: 'recover',
          kind: 'administrator',
          createdTs: clock(),
          createdBy: 'local',
          expiresTs,
        }
        await putLink(tx, row, secretHash, 'administrator.recover')
        await tellAdministratorsIn(
          tx,
          accountData,
          told,
          [{ action: 'administrator.recover', target: userId }],
          clock(),
        )
        return row
      })
      core.report('an administrator is being recovered by the local command')
      return { id: secretHash, ...row }
    },

    firstAdministratorLink: async (localpart = 'admin') => {
      if ((await people.administrators()).length > 0) return null
      let userId: UserId | null = null
      for (let n = 1; !userId; n++) {
        const wanted = `@${localpart}${n === 1 ? '' : n}:${core.serverName}` as UserId
        if (!(await people.get(wanted))) userId = wanted
      }
      const chosen = userId
      const link = newLink(core, chosen, clock() + linkLifetimeMs)
      await store.transact([chosen, linksOwner], async tx => {
        for (const { key, value } of await tx.range(enrolmentLinkTable.under()))
          if (value.purpose === 'first-administrator') tx.delete(key)
        const row: EnrolmentLinkRow = {
          userId: chosen,
          purpose: 'first-administrator',
          kind: 'administrator',
          createdTs: clock(),
          createdBy: 'local',
          expiresTs: link.expiresTs,
        }
        await putLink(tx, row, link.id, 'enrolment-link.create')
      })
      return link
    },

    links: () =>
      store.read(async view =>
        (await view.range(enrolmentLinkTable.under()))
          .filter(({ value }) => clock() < value.expiresTs)
          .map(({ parts, value }) => ({ id: parts[0], ...value })),
      ),

    removeLink: (actor, id) =>
      store.transact(linksOwner, async tx => {
        const link = await tx.get(enrolmentLinkTable.key(id))
        if (!link) return false
        tx.delete(enrolmentLinkTable.key(id))
        await audit.record(tx, {
          actor,
          action: 'enrolment-link.remove',
          target: link.userId,
          detail: { link: id },
        })
        return true
      }),

    begin: async secret => {
      const linkId = hashSecret(secretIn(secret))
      const link = await store.read(view => readLink(view, linkId))
      const { userId, purpose, kind, expiresTs, displayName } = link
      const userHandle = await passkeys.userHandleFor(userId)
      const options = await passkeys.creationOptions(
        { kind: 'link', linkId, userId, userHandle },
        displayName ?? localpartOf(userId),
      )
      return {
        userId,
        purpose,
        kind,
        expiresTs,
        ...(displayName === undefined ? {} : { displayName }),
        options,
      }
    },

    complete: async (secret, attestation, passkeyName, session) => {
      const linkId = hashSecret(secretIn(secret))
      const { userId } = await store.read(view => readLink(view, linkId))
      const { passkey } = await passkeys.verifyCreation(
        attestation,
        passkeyName,
        purpose => purpose.kind === 'link' && purpose.linkId === linkId,
      )
      const opened = await store.transact([userId, linksOwner], async tx => {
        // Read again: only now is nobody else using it.
        const link = await readLink(tx, linkId)
        const account = await tx.get(accountTable.key(userId))
        if (link.purpose === 'enrol' || link.purpose === 'first-administrator') {
          const { accountExpiresTs, sponsor, displayName } = link
          await people.createIn(tx, userId, {
            kind: link.kind,
            createdTs: clock(),
            userHandle: passkey.userHandle,
            ...(accountExpiresTs === undefined ? {} : { expiresTs: accountExpiresTs }),
            ...(sponsor === undefined ? {} : { sponsor }),
          })
          if (displayName !== undefined) profiles.setIn(tx, userId, { displayname: displayName })
        } else {
          if (!account || account.deactivatedTs !== undefined)
            throw new AccountError('M_FORBIDDEN', 'The account of this link was deactivated.')
          await passkeys.removeAllIn(tx, userId)
          await sessions.removeAllDevicesIn(tx, userId)
          tx.delete(passwordTable.key(userId))
        }
        await passkeys.putIn(tx, userId, passkey)
        tx.delete(enrolmentLinkTable.key(linkId))
        await audit.record(tx, {
          actor: userId,
          action: account ? 'account.re-enrol' : 'account.enrol',
          target: userId,
          detail: { link: linkId, kind: link.kind, passkey: passkey.id },
        })
        return session ? sessions.openIn(tx, userId, session) : null
      })
      core.forgetSessions(userId)
      return { userId, session: opened }
    },
  }

  async function isReserved(userId: UserId): Promise<boolean> {
    const links = await store.read(view => view.range(enrolmentLinkTable.under()))
    return links.some(({ value }) => value.userId === userId && clock() < value.expiresTs)
  }
}

/** All links have one writer: making one looks at the others. */
export const linksOwner = 'enrolment-links'

/** Of a person's link: its secret, made here and kept nowhere. Throws M_INVALID_PARAM for a life that is too short or too long. */
export function linkFor(
  core: Pick<Core, 'randomBytes' | 'clock' | 'origin'>,
  userId: UserId,
  { lifetimeMs, code: withCode }: LinkOptions,
): NewLink {
  const { clock, origin } = core
  if (!withCode) return newLink(core, userId, clock() + lifetime(lifetimeMs, linkLifetimeMs))
  const ms = lifetime(lifetimeMs, codeLifetimeMs)
  const secret = newCode(core.randomBytes, ms)
  const code = shownCode(secret)
  const url = `${origin}/enrol#${code}`
  return { secret, url, code, id: hashSecret(secret), userId, expiresTs: clock() + ms }
}

function newLink(core: Pick<Core, 'randomBytes' | 'origin'>, userId: UserId, expiresTs: number): NewLink {
  const secret = newSecret(core, 'enrol')
  return { secret, url: `${core.origin}/enrol#${secret}`, id: hashSecret(secret), userId, expiresTs }
}

function lifetime(wanted: number | undefined, fallback: number): number {
  const ms = wanted ?? fallback
  if (ms < 60_000 || ms > longestLifetimeMs)
    throw new AccountError('M_INVALID_PARAM', 'lifetime_ms must be between one minute and 90 days.')
  return ms
}
