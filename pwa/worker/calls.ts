/**
 * What tabs may ask of the account's owner, and what they are told unasked: the contract between views and worker.
 *
 * Secrets go in as openers and are wiped; none ever comes out, but for the recovery key on the day it is made. Calls
 * that reach for the server throw `VaultError` with the server's code (`M_FORBIDDEN`), `OFFLINE`, or `TIMED_OUT`; all
 * others work without it. What is changed locally is durable when the call returns.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { PasskeyOrigin } from '../e2ee/passkey-device.ts'
import type { Verification } from '../e2ee/verification/flow-record.ts'
import type { DraftPlace } from '../outbox/draft-place.ts'
import type { PersonPresence } from '../sync/presence.ts'
import type { RoomEntry } from '../sync/room-entry.ts'
import type { TimelinePage, TimelineQuery } from '../sync/timeline-item.ts'
import type { DeviceEntry, IdentityState, PersonTrust } from '../trust/ports.ts'
import type { Opener } from '../vault/vault-key.ts'

export type { DeviceEntry, IdentityState, PersonTrust } from '../trust/ports.ts'

// ── the session ────────────────────────────────────────────────────────────────────────────────────

/** What a login or enrolment answered. */
export interface NewSession {
  /** Of the server: scheme, host, port. */
  readonly origin: string
  readonly deviceId: string
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly expiresInMs: number | null
}

export interface SessionState {
  readonly userId: string
  readonly deviceId: string
  readonly serverName: string
  readonly displayName: string | null
  readonly avatar: string | null
  readonly isAdministrator: boolean
  /** `identity`: cross-signing and secret storage are being set up or opened, or wait for a person: see TrustCalls. */
  readonly setup: 'identity' | 'ready'
}

export interface Connection {
  /** `connecting`: asked, and not answered yet. `offline`: the last answer failed; tried again by itself. */
  readonly state: 'online' | 'connecting' | 'offline'
  /** Why, where the server answers but not as it should: its code. */
  readonly code: string | null
  /** When the last sync was answered; 0: never. */
  readonly lastTs: number
  readonly firstSyncDone: boolean
}

export interface SessionCalls {
  /** Null: no session in this vault. */
  session(argument: null): Promise<SessionState | null>
  /** Keeps the session in the open vault, opens the engine, and starts to sync. */
  begin(session: NewSession): Promise<SessionState>
  connection(argument: null): Promise<Connection>
  /** Somebody came back to the tab: do not wait for the next try. */
  reconnect(argument: null): Promise<void>
  /** Logs out at the server as far as it is within reach, then wipes the vault. Messages that wait are named first by `waiting`. */
  signOut(argument: null): Promise<void>
  /** How many messages have not left yet. */
  waiting(argument: null): Promise<number>
  setProfile(profile: { displayName?: string; avatar?: Blob | null }): Promise<void>
}

// ── the account at the server ──────────────────────────────────────────────────────────────────────

/** One of our passkeys, as the server lists it. */
export interface PasskeyEntry {
  readonly id: string
  readonly name: string
  /** The COSE key, unpadded base64. */
  readonly publicKey: string
  readonly createdTs: number
  readonly lastUsedTs: number | null
  /** Kept by a password manager, and so on several devices. */
  readonly synced: boolean
}

/** `auth` answers the server's wish for confirmation; see api/interactive-auth.ts. */
export interface AccountCalls {
  passkeys(argument: null): Promise<PasskeyEntry[]>
  /** PublicKeyCredentialCreationOptionsJSON, and the hand-in of what was made. */
  beginPasskey(how: { auth: JsonObject | null }): Promise<JsonObject>
  completePasskey(made: { attestation: JsonObject; name: string }): Promise<PasskeyEntry>
  renamePasskey(passkey: { id: string; name: string }): Promise<void>
  removePasskey(which: { id: string; auth: JsonObject | null }): Promise<void>
  /** This browser's Web Push subscription is handed to the server, or taken from it. */
  setPusher(pusher: {
    subscription: JsonObject
    deviceName: string
    language: string
    on: boolean
  }): Promise<void>
  /** Does the server ring this subscription for us? */
  hasPusher(endpoint: string): Promise<boolean>
}

// ── administration ─────────────────────────────────────────────────────────────────────────────────

/** A request to the administration API: server/admin-api/README.md. */
export interface AdminRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Below `/_letro/admin/v1`, with its query. */
  readonly path: string
  readonly body?: JsonObject
  readonly auth?: JsonObject | null
}

/** The tokens never leave the worker, so its requests go through it as all others do. Nothing of the answers is kept. */
export interface AdminCalls {
  /** @throws the server's `org.letro.reason` as a code, where it gives one */
  administer(request: AdminRequest): Promise<JsonObject>
  adminFile(path: string): Promise<Blob>
  /** A file as the body; how far it is, the server says. */
  adminUpload(file: { path: string; content: Blob }): Promise<JsonObject>
}

// ── rooms ──────────────────────────────────────────────────────────────────────────────────────────

export interface Member {
  readonly userId: string
  readonly name: string
  /** Two members of that name: show the id too. */
  readonly ambiguous: boolean
  readonly avatar: string | null
  readonly membership: 'join' | 'invite' | 'knock' | 'ban'
  readonly power: number
  /** From another organisation, or an external account of ours. */
  readonly external: boolean
}

/** What a room's own page shows beyond its entry. */
export interface RoomDetail {
  readonly entry: RoomEntry
  readonly version: string
  readonly creators: readonly string[]
  readonly joinRule: string
  readonly historyVisibility: string
  readonly canonicalAlias: string | null
  readonly pinned: readonly string[]
  /** The event up to which we have read, by the marker or the receipt, whichever is newer. */
  readonly readUpTo: string | null
  readonly powerLevels: JsonObject
  readonly ourPower: number
  /** What we may do, from power levels and membership. */
  readonly may: {
    readonly send: boolean
    readonly invite: boolean
    readonly kick: boolean
    readonly ban: boolean
    readonly redactOthers: boolean
    readonly pin: boolean
    readonly rename: boolean
    readonly setPower: boolean
    readonly upgrade: boolean
    readonly notifyRoom: boolean
  }
}

/** Why nothing goes to another organisation: server/client-api/organisations.ts. */
export interface OrganisationStanding {
  readonly state: 'suspended' | 'closed' | 'away'
  /** `away`: when the oldest thing that waits for it was written. */
  readonly sinceTs: number | null
}

export interface NewRoom {
  readonly name?: string
  readonly topic?: string
  readonly invite: readonly string[]
  readonly isDirect: boolean
  readonly isSpace?: boolean
  readonly encrypted: boolean
  /** `restricted`: whoever is in the space may join. */
  readonly joinRule: 'invite' | 'knock' | 'restricted' | 'public'
  readonly historyVisibility?: 'joined' | 'invited' | 'shared'
  readonly inSpace?: string
  readonly alias?: string
}

export interface FoundPerson {
  readonly userId: string
  readonly name: string | null
  readonly avatar: string | null
}

/** A room that somebody may come into: of a directory, or of a space. */
export interface OpenRoom {
  readonly roomId: string
  readonly name: string | null
  readonly topic: string | null
  readonly joinedCount: number
  readonly isSpace: boolean
  /** Servers to ask for it. */
  readonly via: readonly string[]
}

export interface FoundMessage {
  readonly roomId: string
  readonly eventId: string
  readonly ts: number
  readonly sender: string
  readonly senderName: string
  readonly text: string
}

export interface RoomCalls {
  rooms(argument: null): Promise<RoomEntry[]>
  room(roomId: string): Promise<RoomDetail>
  /** By power, then name. The whole list is fetched from the server the first time it is asked for. */
  members(roomId: string): Promise<Member[]>
  timeline(query: TimelineQuery): Promise<TimelinePage>
  /** What a message said over time, the oldest first, the original included. Only valid edits. */
  edits(of: { roomId: string; eventId: string }): Promise<{ ts: number; content: JsonObject }[]>
  typingIn(roomId: string): Promise<string[]>
  createRoom(room: NewRoom): Promise<string>
  /** A room id or an alias, with servers to ask. */
  join(where: { room: string; via?: readonly string[] }): Promise<string>
  knock(where: { room: string; via?: readonly string[]; reason?: string }): Promise<string>
  leave(roomId: string): Promise<void>
  forget(roomId: string): Promise<void>
  /** Signed by this device (org.letro.invite_signature), with the room's shared history where it may be read. */
  invite(whom: { roomId: string; userId: string; reason?: string }): Promise<void>
  setMembership(act: {
    roomId: string
    userId: string
    act: 'kick' | 'ban' | 'unban'
    reason?: string
  }): Promise<void>
  setState(event: { roomId: string; type: string; stateKey: string; content: JsonObject }): Promise<void>
  setPower(change: { roomId: string; userId: string; power: number }): Promise<void>
  /** The room's picture, or none. */
  setRoomAvatar(change: { roomId: string; image: Blob | null }): Promise<void>
  upgradeRoom(change: { roomId: string; version: string }): Promise<string>
  setTag(tag: { roomId: string; tag: 'm.favourite' | 'm.lowpriority'; on: boolean }): Promise<void>
  setMuted(change: { roomId: string; level: 'all' | 'mentions' | 'none' }): Promise<void>
  setDirect(change: { roomId: string; userIds: readonly string[] }): Promise<void>
  /** Everything up to here was read: receipt (private or not, as set), marker, counts. */
  markRead(where: { roomId: string; eventId: string; threadRoot?: string }): Promise<void>
  markUnread(where: { roomId: string; unread: boolean }): Promise<void>
  typing(where: { roomId: string; typing: boolean }): Promise<void>
  /** An encrypted room's undecided newcomer gets keys from now on. */
  admitNewcomer(whom: { roomId: string; userId: string }): Promise<void>
  findPeople(text: string): Promise<FoundPerson[]>
  publicRooms(query: { text: string }): Promise<OpenRoom[]>
  /** What a space lists that we are not in, and that we may see. */
  spaceRooms(spaceId: string): Promise<OpenRoom[]>
  /** In everything that this device has read, the newest first. Works offline. */
  searchMessages(query: {
    text: string
    roomId?: string
    limit: number
  }): Promise<{ found: FoundMessage[]; incomplete: boolean }>
  profile(userId: string): Promise<{ name: string | null; avatar: string | null }>
  /** Null: the server has it off, or tells nothing of them. */
  presence(userId: string): Promise<PersonPresence | null>
  /** Other organisations that nothing goes to now, by server name; one that is not named is well. */
  organisations(argument: null): Promise<Readonly<Record<string, OrganisationStanding>>>
  accountData(type: string): Promise<JsonObject | null>
  setAccountData(data: { type: string; content: JsonObject }): Promise<void>
  pushRules(argument: null): Promise<JsonObject>
  setPushRule(rule: {
    kind: string
    ruleId: string
    enabled?: boolean
    actions?: readonly JsonObject[] | readonly string[]
  }): Promise<void>
}

// ── writing ────────────────────────────────────────────────────────────────────────────────────────

export interface NewMessage {
  readonly roomId: string
  /** `m.room.message`, `m.reaction`, `m.sticker` … */
  readonly type: string
  /** With `m.relates_to`, `m.mentions` and so on, as Matrix writes it, unencrypted. */
  readonly content: JsonObject
}

export interface NewFile {
  readonly roomId: string
  readonly file: Blob
  readonly name: string
  readonly caption?: string
  readonly threadRoot?: string
  readonly replyTo?: string
  /** Made in the page, which has a canvas. */
  readonly thumbnail?: { readonly blob: Blob; readonly width: number; readonly height: number }
  readonly image?: { readonly width: number; readonly height: number }
  readonly durationMs?: number
  /** A voice message's loudness, 0 to 1,024, about a hundred of them. */
  readonly waveform?: readonly number[]
}

/** Where an attachment stands: of a message that waits, or of a download. */
export interface Transfer {
  /** The item's key, or the `mxc:` address. */
  readonly id: string
  readonly kind: 'upload' | 'download'
  readonly doneBytes: number
  readonly totalBytes: number
  readonly state: 'running' | 'paused' | 'waiting' | 'failed' | 'done'
  readonly code: string | null
}

export interface MessageCalls {
  /** Stored sealed before it returns its transaction id: from there it leaves by itself, in order, once. */
  send(message: NewMessage): Promise<string>
  sendFile(file: NewFile): Promise<string>
  redact(what: { roomId: string; eventId: string; reason?: string }): Promise<string>
  /** A message that failed or was held up. */
  retry(txnId: string): Promise<void>
  /** One that has not left. False: too late. */
  discard(txnId: string): Promise<boolean>
  /** To people who were decided about: sends what they held up. */
  pauseTransfer(id: string): Promise<void>
  resumeTransfer(id: string): Promise<void>
  /** Decrypted, from the vault's cache or the server. `file` is the content's `file` member, else `mxc` its address. */
  media(what: {
    mxc?: string
    file?: JsonObject
    maxBytes: number
    thumbnail?: { width: number; height: number }
  }): Promise<Blob>
  draft(place: DraftPlace): Promise<JsonObject | null>
  /** Null: none any more. */
  setDraft(draft: DraftPlace & { draft: JsonObject | null }): Promise<void>
}

// ── trust ──────────────────────────────────────────────────────────────────────────────────────────

export interface TrustCalls {
  identity(argument: null): Promise<IdentityState>
  /**
   * Makes cross-signing keys, secret storage (opened by the passkey's PRF where given) and key backup, and gives the
   * recovery key, once. `auth` answers the server's wish for confirmation; see api/interactive-auth.ts.
   */
  setUpIdentity(how: { prf: Opener | null; auth: JsonObject | null }): Promise<{ recoveryKey: string }>
  /** Opens secret storage: takes the private keys, signs this device, joins the backup; restoring goes on after it (`backup-restore`). */
  openIdentity(opener: Opener | { kind: 'recovery-text'; text: string }): Promise<void>
  /** All is lost: a new identity. Others see it. */
  resetIdentity(how: { prf: Opener | null; auth: JsonObject | null }): Promise<{ recoveryKey: string }>
  /** True: these are the characters that stand in that group, counted from 0, or from the end: -1 is the last. */
  checkRecoveryKey(part: { group: number; text: string }): Promise<boolean>
  /** A new one instead of the one that was lost. What opened secret storage before opens nothing any more: add passkeys again. */
  newRecoveryKey(argument: null): Promise<{ recoveryKey: string }>
  /** This passkey opens secret storage too. */
  addPasskeyToIdentity(opener: Opener): Promise<void>
  /** This passkey opens it no longer. What it opened before it knows: a new recovery key makes a new storage key. */
  removePasskeyFromIdentity(credentialId: string): Promise<void>
  /** Challenge for the gesture that enrols this device, and the hand-in of what the passkey signed. */
  beginDeviceEnrolment(
    passkeys: readonly { credentialId: string; publicKey: string; name: string }[],
  ): Promise<{ nonce: string; challenge: string }>
  completeDeviceEnrolment(answer: {
    nonce: string
    credentialId: string
    authenticatorData: string
    clientDataJson: string
    signature: string
    origin: PasskeyOrigin
  }): Promise<void>
  person(userId: string): Promise<PersonTrust>
  /** Their new identity is taken as it is. */
  acceptIdentity(userId: string): Promise<void>
  ourDevices(argument: null): Promise<DeviceEntry[]>
  renameDevice(device: { deviceId: string; name: string }): Promise<void>
  deleteDevices(what: { deviceIds: readonly string[]; auth: JsonObject | null }): Promise<void>
  /** To our other devices, or to a person, in the room that we share with them. */
  requestVerification(whom: { userId: string; deviceId?: string; roomId?: string }): Promise<string>
  verifications(argument: null): Promise<Verification[]>
  acceptVerification(flowId: string): Promise<void>
  startSas(flowId: string): Promise<void>
  confirmSas(flowId: string): Promise<void>
  cancelVerification(which: { flowId: string; mismatch?: boolean }): Promise<void>
  verificationQr(flowId: string): Promise<Uint8Array<ArrayBuffer>>
  scanVerificationQr(scanned: { flowId: string; bytes: Uint8Array<ArrayBuffer> }): Promise<void>
  confirmScanned(flowId: string): Promise<void>
  /** What a first device shows as a QR code, and waits by: a new device of ours that knows it is trusted. */
  offerDeviceLink(how: {
    auth: JsonObject | null
  }): Promise<{ linkId: string; url: string; expiresTs: number }>
  cancelDeviceLink(linkId: string): Promise<void>
  /** On the new device, after it signed in with what the link gave: both ends trust each other afterwards. */
  completeDeviceLink(link: { linkId: string; key: string }): Promise<void>
  exportKeys(how: { passphrase: string }): Promise<Blob>
  importKeys(from: { file: Blob; passphrase: string }): Promise<{ imported: number; total: number }>
}

/** Unasked, to every tab. */
export type AppNotice =
  | { readonly kind: 'session'; readonly session: SessionState | null }
  | { readonly kind: 'connection'; readonly connection: Connection }
  /** These entries are new or changed; those rooms are gone. */
  | { readonly kind: 'rooms'; readonly changed: readonly RoomEntry[]; readonly gone: readonly string[] }
  /** Something in this room's timeline is not as it was: ask for the stretch that is shown. */
  | { readonly kind: 'timeline'; readonly roomId: string }
  | { readonly kind: 'members'; readonly roomId: string }
  | { readonly kind: 'typing'; readonly roomId: string; readonly userIds: readonly string[] }
  | { readonly kind: 'transfer'; readonly transfer: Transfer }
  | { readonly kind: 'identity' }
  | { readonly kind: 'person'; readonly userId: string }
  | { readonly kind: 'verification'; readonly verification: Verification }
  | {
      readonly kind: 'device-link'
      readonly linkId: string
      readonly state: 'joined' | 'done' | 'failed'
      readonly code: string | null
    }
  /** Room keys are being taken from the backup. */
  | { readonly kind: 'backup-restore'; readonly done: number; readonly total: number }
  /** Who is there, or was when, may be another answer now. */
  | { readonly kind: 'presence'; readonly userIds: readonly string[] }
  | { readonly kind: 'account-data'; readonly type: string }
  /** The push rules say that this deserves a notification: the tab that is nearest shows it, if none is looking. */
  | {
      readonly kind: 'notify'
      readonly roomId: string
      readonly eventId: string
      readonly title: string
      readonly body: string
      readonly sound: boolean
      readonly highlight: boolean
    }
  /** The server ended this session. `revoked`: the vault was wiped. `expired`: sign in again, everything is kept. */
  | { readonly kind: 'session-ended'; readonly why: 'revoked' | 'expired' }

/** What the session's parts offer to tabs, beside the vault's own calls in owner.ts. */
export type AppCalls = SessionCalls & AccountCalls & AdminCalls & RoomCalls & MessageCalls & TrustCalls
