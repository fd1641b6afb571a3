/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import type { JsonObject } from '../protocol/json.ts'
import { jsonTable } from './key.ts'
import type { Position } from './store.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

// ── accounts: a ──────────────────────────────────────────────────────────────────────────────────────

// ── keys: k ──────────────────────────────────────────────────────────────────────────────────────────

/** user, device: the signed object as the device uploaded it; `signatures` holds the user's own only. */
export const deviceKeysTable = jsonTable<JsonObject>()('kd', 'device keys', ['text', 'text'])

/** user, device, algorithm, position of the upload, place in it: unclaimed one-time keys, first uploaded first. */
export interface OneTimeKeyRow {
  readonly id: string
  readonly key: JsonObject
}
export const oneTimeKeyTable = jsonTable<OneTimeKeyRow>()('ko', 'one-time key', [
  'text',
  'text',
  'text',
  'position',
  'u32',
])

/** user, device, algorithm, slot of a ring: keys that were given out last, so that a repeated upload revives none. */
export const givenKeyTable = jsonTable<{ readonly id: string; readonly key: string }>()(
  'kg',
  'one-time key given out',
  ['text', 'text', 'text', 'u32'],
)

/** user, device, algorithm. */
export interface FallbackKeyRow {
  readonly id: string
  readonly key: JsonObject
  readonly used: boolean
}
export const fallbackKeyTable = jsonTable<FallbackKeyRow>()('kf', 'fallback key', ['text', 'text', 'text'])

/** user, device: what sync tells a device about its keys, and how many were ever given out. */
export interface KeyCountsRow {
  readonly counts: Readonly<Record<string, number>>
  readonly unusedFallback: readonly string[]
  readonly given: Readonly<Record<string, number>>
  /** The last claim. */
  readonly changed: Position
}
export const keyCountsTable = jsonTable<KeyCountsRow>()('kn', 'key counts', ['text', 'text'])

/** user, usage: `master`, `self_signing`, `user_signing`. */
export const crossSigningKeyTable = jsonTable<JsonObject>()('kx', 'cross-signing key', ['text', 'text'])

/** signer, signed user: signatures by the signer's user-signing key, which nobody else sees. */
export interface UserSignatureRow {
  /** The master key that was signed. */
  readonly publicKey: string
  readonly signatures: Readonly<Record<string, string>>
}
export const userSignatureTable = jsonTable<UserSignatureRow>()('ku', 'signature about another user', [
  'text',
  'text',
])

/** position → the user whose device list changed there last; one row a user, moved at each change. */
export const deviceListFeedTable = jsonTable<string>()('kl', 'device list feed', ['position'])
export const deviceListPlaceTable = jsonTable<Position>()('kp', 'place in the device list feed', ['text'])

/** signer, position → a user about whom the signer has new signatures; one row a pair. */
export const signatureFeedTable = jsonTable<string>()('kq', 'signature feed', ['text', 'position'])
export const signaturePlaceTable = jsonTable<Position>()('kr', 'place in the signature feed', [
  'text',
  'text',
])

/** room, position → who joined or went there; one row for each person of the room, moved at each change. */
export interface SharingRow {
  readonly userId: string
  readonly joined: boolean
}
export const sharingFeedTable = jsonTable<SharingRow>()('km', 'sharing feed', ['text', 'position'])
export const sharingPlaceTable = jsonTable<Position>()('kc', 'place in the sharing feed', ['text', 'text'])

/** user, device, position: to-device messages that the device has not acknowledged. */
export interface ToDeviceRow {
  readonly type: string
  readonly sender: string
  readonly content: JsonObject
}
export const inboxTable = jsonTable<ToDeviceRow>()('ki', 'to-device message', ['text', 'text', 'position'])

/** week, user, device, transaction id: requests that were carried out; a week is dropped as a whole. */
export const toDeviceTransactionTable = jsonTable<1>()('kt', 'to-device transaction', [
  'u32',
  'text',
  'text',
  'text',
])

/** user, version. A deleted version keeps its row, so that its number is never given again. */
export interface KeyBackupRow {
  readonly algorithm: string
  readonly authData: JsonObject
  readonly etag: number
  readonly count: number
  readonly deleted?: boolean
}
export const keyBackupTable = jsonTable<KeyBackupRow>()('kb', 'key backup', ['text', 'u32'])

/** user, version, room, session. */
export interface BackedUpSessionRow {
  readonly first_message_index: number
  readonly forwarded_count: number
  readonly is_verified: boolean
  readonly session_data: JsonObject
}
export const backedUpSessionTable = jsonTable<BackedUpSessionRow>()('ks', 'session in a key backup', [
  'text',
  'u32',
  'text',
  'text',
])
/** user, version: deleted backups whose sessions are still being removed. */
export const backupRemovalTable = jsonTable<1>()('kz', 'removal of a key backup', ['text', 'u32'])

/** `epoch`: the store's epoch whose one-time keys these are. */
export const keysSettingTable = jsonTable<number>()('ke', 'setting of keys', ['text'])

// ── media: m ─────────────────────────────────────────────────────────────────────────────────────────

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────
