/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import type { AuditEntry } from '../protocol/audit-chain.ts'
import type { JsonObject } from '../protocol/json.ts'
import { jsonTable } from './key.ts'
import type { Position } from './store.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

export type AccountKind = 'member' | 'administrator' | 'service' | 'external'

/** A person (or service) of this server; kept for ever, so that a user id is never given out twice. */
export interface AccountRow {
  readonly kind: AccountKind
  readonly createdTs: number
  /** base64url; what a passkey carries in place of the user id. Made with the first passkey. */
  readonly userHandle?: string
  readonly locked?: boolean
  readonly suspended?: boolean
  readonly deactivatedTs?: number
  readonly erased?: boolean
  /** External people: the end, and who answers for them. */
  readonly expiresTs?: number
  readonly sponsor?: string
  /** The end has come and was carried out. */
  readonly expired?: boolean
}
export const accountTable = jsonTable<AccountRow>()('aa', 'account', ['text'])

export const passwordTable = jsonTable<{ readonly hash: string; readonly changedTs: number }>()(
  'ab',
  'password hash',
  ['text'],
)

export interface DeviceRow {
  readonly displayName?: string
  readonly createdTs: number
  /** To the hour, and never with an address. */
  readonly lastSeenTs?: number
}
export const deviceTable = jsonTable<DeviceRow>()('ac', 'device', ['text', 'text'])

/** By SHA-256 of the token (base64url). */
export interface AccessTokenRow {
  readonly userId: string
  readonly deviceId: string
  readonly createdTs: number
  readonly expiresTs?: number
  /** Made by a refresh: what the first use of this token ends. */
  readonly replaces?: { readonly refresh: string; readonly access?: string }
}
export const accessTokenTable = jsonTable<AccessTokenRow>()('ad', 'access token', ['text'])

export interface RefreshTokenRow {
  readonly userId: string
  readonly deviceId: string
  readonly createdTs: number
  /** The access token that came with it. */
  readonly access: string
  readonly replaces?: { readonly refresh: string; readonly access?: string }
  /** What the last refresh with this token gave out, until one of them is used. */
  readonly successor?: { readonly refresh: string; readonly access: string }
}
export const refreshTokenTable = jsonTable<RefreshTokenRow>()('ae', 'refresh token', ['text'])

/** user, device, hash → which kind of token: what a logout ends. */
export const deviceTokenTable = jsonTable<'access' | 'refresh'>()('af', 'tokens of a device', [
  'text',
  'text',
  'text',
])

export interface PasskeyRow {
  readonly publicKey: string
  readonly counter: number
  readonly transports?: readonly string[]
  readonly name: string
  readonly createdTs: number
  readonly lastUsedTs?: number
  readonly aaguid: string
  /** BE: may the credential leave its authenticator? Fixed at creation. */
  readonly backupEligible: boolean
  /** BS: is it backed up now? */
  readonly backedUp: boolean
}
/** user, credential id. */
export const passkeyTable = jsonTable<PasskeyRow>()('ag', 'passkey', ['text', 'text'])
export const passkeyOwnerTable = jsonTable<string>()('ah', 'owner of a passkey', ['text'])

/** By SHA-256 of the secret in the link's fragment. */
export interface EnrolmentLinkRow {
  readonly userId: string
  readonly purpose: 'enrol' | 're-enrol' | 'first-administrator' | 'recover'
  readonly kind: AccountKind
  readonly createdTs: number
  readonly createdBy: string
  readonly expiresTs: number
  readonly displayName?: string
  readonly accountExpiresTs?: number
  readonly sponsor?: string
}
export const enrolmentLinkTable = jsonTable<EnrolmentLinkRow>()('ai', 'enrolment link', ['text'])

/** By SHA-256 of the token. */
export interface RegistrationTokenRow {
  readonly createdTs: number
  readonly createdBy: string
  readonly usesAllowed?: number
  readonly uses: number
  readonly expiresTs?: number
}
export const registrationTokenTable = jsonTable<RegistrationTokenRow>()('aj', 'registration token', ['text'])

/** Sequence number from 1; the value is an `AuditEntry` of protocol/audit-chain.ts. */
export const auditTable = jsonTable<AuditEntry>()('ak', 'audit', ['position'])

export interface ProfileRow {
  readonly fields: JsonObject
  /** Raised by every change, so that who carries it into rooms knows whether it is done. */
  readonly revision: number
}
export const profileTable = jsonTable<ProfileRow>()('al', 'profile', ['text'])
/** People whose rooms do not all show their present profile yet. */
export const profilePendingTable = jsonTable<{ readonly revision: number }>()('am', 'profile on its way', [
  'text',
])

/** user, room (empty: global), type. */
export interface AccountDataRow {
  readonly content: JsonObject
  readonly position: Position
}
export const accountDataTable = jsonTable<AccountDataRow>()('an', 'account data', ['text', 'text', 'text'])
/** user, position: one row for each row of account data, moved when it changes. */
export const accountDataFeedTable = jsonTable<{ readonly roomId: string; readonly type: string }>()(
  'ao',
  'account data feed',
  ['text', 'position'],
)

/** Deactivated people whose rooms have not all been left yet. */
export const leavingTable = jsonTable<{ readonly sinceTs: number }>()('ap', 'leaving all rooms', ['text'])

/** External people: when they end. */
export const externalTable = jsonTable<number>()('aq', 'external person', ['text'])

/** `rpId`: frozen by the first passkey. `epoch`: the store's epoch that our tokens belong to. */
export const accountSettingTable = jsonTable<string | number>()('ar', 'setting of accounts', ['text'])

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────
