/**
 * All rows that exist, one line each: prefix, key parts, value. A prefix is two letters, the first its
 * area's; a removed one stays listed, so that it is never given a second meaning.
 *
 * The value's type stands beside its table. What several versions must read is a plain JSON value: fields
 * may be added, never changed in meaning (see DESIGN, *Schema*).
 */
import type { AuditEntry } from '../protocol/audit-chain.ts'
import type { Finding } from '../protocol/finding.ts'
import type { EventId, RoomId, ServerName, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { RoomVersion } from '../protocol/room-versions.ts'
import { jsonTable, textTable } from './key.ts'
import type { Position } from './store.ts'

// ── store: _ ─────────────────────────────────────────────────────────────────────────────────────────

/** One a commit group, in the group's own batch: the highest position, how many rows, the chain before and after. */
export type JournalRow = readonly [position: number, rows: number, chainBefore: number, chain: number]
export const journal = jsonTable<JournalRow>()('_j', 'journal of commit groups', ['position'])

/** Up to this group the journal was walked without a finding; earlier journal rows are removed. */
export const journalBase = jsonTable<{ sequence: number; chain: number }>()('_b', 'base of the journal', [])

/** When the last scrub without a finding ended, in ms. */
export const cleanScrub = jsonTable<{ at: number; rows: number }>()('_c', 'last clean scrub', [])

export interface Schema {
  /** The schema of the release that wrote last, and the oldest one that can read and write this data. */
  readonly writer: number
  readonly oldestReader: number
}
export const schemaRow = jsonTable<Schema>()('_v', 'schema', [])

/** What was found, lost and done, by the epoch that it began. */
export const repairs = jsonTable<{ at: number; reason: 'repair' | 'restore'; report: unknown }>()(
  '_r',
  'repairs',
  ['u32'],
)

// ── peers: f ─────────────────────────────────────────────────────────────────────────────────────────

/** A server that an administrator has pinned; the row goes with the pin. */
export interface PeerRow {
  readonly kind: 'site' | 'homeserver'
  readonly suspended?: boolean
  /** Suspended because the store was repaired: the row may be older than what was there. */
  readonly afterRepair?: boolean
  readonly direction: 'both' | 'inbound' | 'outbound' | 'verify-only'
  readonly transport: 'https' | 'bundle'
  /** Of a site: the newest card, whole and as it was signed. What stands there is not repeated below. */
  readonly card?: JsonObject
  /** Of a homeserver. */
  readonly signingKeys?: readonly {
    readonly id: string
    readonly publicKey: string
    readonly expiredTs?: number
  }[]
  readonly residency?: string
  /** Of a site: where it is dialled in place of the address in its card. */
  readonly address?: { readonly host: string; readonly port: number }
  /** Of a site: beside what its card says. */
  readonly tls?: { readonly spkiSha256?: readonly string[]; readonly ca?: string }
  readonly note?: string
  readonly pinnedBy: string
  readonly pinnedTs: number
  readonly changedBy: string
  readonly changedTs: number
  /** Another card with the serial that is held was offered, signed by the same root. */
  readonly conflict?: { readonly serial: number; readonly seenTs: number }
}
export const peerTable = jsonTable<PeerRow>()('fp', 'peer', ['text'])

/** `epoch`: the store's epoch in which these pins are trusted. */
export const peersSettingTable = jsonTable<number>()('fe', 'setting of peers', ['text'])

/** Root key → the newest card that was ever taken from it: stays when the pin is removed, so that no older card comes back. */
export interface CardSerialRow {
  readonly serverName: string
  readonly serial: number
  /** SHA-256 of what was signed. */
  readonly digest: string
}
export const cardSerialTable = jsonTable<CardSerialRow>()('fs', 'newest serial of a card', ['text'])

/** Task, server → the standing of that server under which all rooms followed its pin. */
export const followedPins = jsonTable<string>()('fv', 'what followed a pin', ['text', 'text'])

// ── rooms: r ─────────────────────────────────────────────────────────────────────────────────────────

export interface ReceiptRow {
  readonly eventId: EventId
  readonly eventPosition: Position
  readonly position: Position
  readonly ts: number
}
/** room, user, receipt type, thread (empty: the room as a whole). */
export const receiptTable = jsonTable<ReceiptRow>()('rR', 'receipt', ['text', 'text', 'text', 'text'])
export interface RoomNumberRow {
  readonly number: number
  readonly version: RoomVersion
}

export interface RoomHeadRow {
  readonly roomId: RoomId
  /** Forward extremities, newest first. */
  readonly forward: readonly Position[]
  /** Snapshot of the current state. */
  readonly state: Position
  readonly last: Position
  /** Place of the oldest event: the next one that is fetched from before goes below it. */
  readonly lowest: number
  readonly joined: number
  /** Each event above this position stood on all before it, so positions alone say which state was when. */
  readonly linearFrom: number
  /** Holes in the timeline's order, highest first; absent: there is none. See rooms/timeline-gap.ts. */
  readonly gaps?: readonly { readonly above: number; readonly below: number; readonly depth: number }[]
}

/** A state as what changed since an older one: `stateKeyNames` number, position, number, position …; 0 = no longer there. */
export interface StateSnapshotRow {
  readonly depth: number
  /** The snapshots to read after this one, nearest first. */
  readonly chain: readonly Position[]
  readonly changes: readonly number[]
}

export interface SentRow {
  readonly eventId: EventId
  readonly position: Position
}

export interface RoomMembershipRow {
  readonly roomId: RoomId
  readonly membership: 'join' | 'invite' | 'knock' | 'leave' | 'ban'
  readonly eventId: EventId
  readonly position: Position
  readonly sender: UserId
  readonly forgotten: boolean
  readonly everJoined: boolean
  readonly joinedUntil?: Position
  readonly strippedState?: readonly JsonObject[]
}

/** Interned ids: a room is a u32 in all keys below. */
export const roomNumbers = jsonTable<RoomNumberRow>()('ri', 'room id → number', ['text'])
export const nextRoomNumber = jsonTable<number>()('rn', 'the number of the next room', [])
export const roomHeads = jsonTable<RoomHeadRow>()('rh', 'a room as its writer left it', ['u32'])
/** What no redaction and no purge takes away; the key is the event's short id everywhere else. */
export const eventSkeletons = textTable('rs', 'event skeletons', ['position'])
export const eventContents = textTable('rc', 'event contents', ['position'])
export const eventPositions = jsonTable<Position>()('re', 'event id → position', ['text'])
export const timelines = jsonTable<Position>()('rt', 'room, order → position', ['u32', 'signed'])
export const stateSnapshots = jsonTable<StateSnapshotRow>()('rd', 'room states as deltas', ['position'])
export const currentStates = jsonTable<Position>()('rz', 'room, position → current state from then on', [
  'u32',
  'position',
])
export const stateKeyNames = jsonTable<readonly [type: string, stateKey: string]>()(
  'rk',
  'room, number → type and state key',
  ['u32', 'u32'],
)
export const backwardExtremities = jsonTable<number>()('rb', 'room, missing event → depth of who needs it', [
  'u32',
  'text',
])
/** Redactions of events that are not here yet. */
export const waitingRedactions = jsonTable<readonly Position[]>()('rr', 'room, event id → redactions', [
  'u32',
  'text',
])
export const roomMemberships = jsonTable<RoomMembershipRow>()('rm', 'user, room → membership', [
  'text',
  'u32',
])
/** Room, user, device, event type, transaction id. Kept as long as the event. */
export const sentTransactions = jsonTable<SentRow>()('ry', 'what a transaction id has sent', [
  'u32',
  'text',
  'text',
  'text',
  'text',
])

/** Rooms that stand still, with what for. */
export interface FrozenRoomRow {
  readonly server: ServerName
  readonly by: UserId
  readonly eventId: EventId
  readonly sinceTs: number
}
export const frozenRooms = jsonTable<FrozenRoomRow>()('rf', 'frozen room', ['u32'])

/** Children of an event by age (room, parent, position): the index of relations. */
export interface RelationRow {
  readonly eventId: string
  readonly type: string
  readonly sender: string
  readonly relType: string
  /** originServerTs: the newest edit is the one with the highest. */
  readonly ts: number
}
export const relationChildren = jsonTable<RelationRow>()('rg', 'relation children', [
  'text',
  'text',
  'position',
])
/** (room, child): where its row stands, for the redaction that breaks the relation. */
export interface RelationOfChildRow {
  readonly parent: string
  readonly position: number
  readonly relType: string
  readonly sender: string
  readonly type: string
  readonly key?: string
}
export const relationsByChild = jsonTable<RelationOfChildRow>()('rj', 'relations by child', ['text', 'text'])
/** (room, parent): this event has children, so that a page of events asks once and not once an event. */
export const relationParents = jsonTable<1>()('rp', 'relation parents', ['text', 'text'])
/** (room, parent, sender, type, key): the annotation that stands, so that nobody makes the same one twice. */
export const annotations = jsonTable<{ readonly eventId: string }>()('rN', 'annotations', [
  'text',
  'text',
  'text',
  'text',
  'text',
])
/** (room, root): its newest reply and how many there are; (room, newest reply): a room's threads by latest reply. */
export interface ThreadRow {
  readonly latest: number
  readonly count: number
}
export const threadRoots = jsonTable<ThreadRow>()('ro', 'thread roots', ['text', 'text'])
export const threadsByLatest = jsonTable<{ readonly root: string }>()('rl', 'threads by latest reply', [
  'text',
  'position',
])

/** (alias) → room; (room, alias): the local aliases of a room. */
export interface AliasRow {
  readonly roomId: string
  readonly creator: string
  readonly createdTs: number
}
export const roomAliases = jsonTable<AliasRow>()('ra', 'room aliases', ['text'])
export const aliasesOfRoom = jsonTable<1>()('rv', 'aliases of a room', ['text', 'text'])
/** (room): published in this server's room directory. */
export const publishedRooms = jsonTable<{ readonly by: string; readonly ts: number }>()(
  'rD',
  'published rooms',
  ['text'],
)

/** (position): what people reported to the administrators. */
export interface ReportRow {
  readonly reporter: string
  readonly ts: number
  readonly kind: 'room' | 'event' | 'user'
  readonly roomId?: string
  readonly eventId?: string
  readonly userId?: string
  readonly reason: string
}
export const contentReports = jsonTable<ReportRow>()('rw', 'content reports', ['position'])

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
  /** Of a deactivated account: the room into which it comes once more, to pass its power on. */
  readonly returnsTo?: string
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
  /** The import of a long list that made it. */
  readonly list?: string
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

/** External people whose end was told to their sponsor: which end, and how many days before it at the latest. */
export const announcedEndTable = jsonTable<{ readonly expiresTs: number; readonly days: number }>()(
  'at',
  'announced end',
  ['text'],
)

/** Rooms whose people here were told that it stands still, or are being told; goes when they know that it goes on. */
export const toldStandstills = jsonTable<1>()('az', 'told of a standstill', ['u32'])

/**
 * `rpId`: frozen by the first passkey. `epoch`: the store's epoch that our tokens belong to. `unfinishedList`: the list of people
 * that is being applied in several batches, until its links have reached whoever asked.
 */
export const accountSettingTable = jsonTable<string | number>()('ar', 'setting of accounts', ['text'])

/** By SHA-256 of the token (base64url): a command line that administers for somebody, until it ends. */
export interface CommandLineRow {
  readonly userId: UserId
  readonly label: string
  readonly scope: 'read' | 'manage'
  readonly createdTs: number
  readonly expiresTs: number
}
export const commandLineTable = jsonTable<CommandLineRow>()('as', 'command line', ['text'])

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

/**
 * A person of another server whose device list we hold whole, and who is here in a room with us: where in their server's
 * own order it stands. No row: whoever wants it asks their server. Devices and keys stand in the tables of our own people.
 */
export const remoteDeviceListTable = jsonTable<{ readonly streamId: number }>()(
  'kw',
  'device list of another server',
  ['text'],
)

/**
 * week, user, device, transaction id: requests that were carried out; a week is dropped as a whole. People of other servers
 * have no device here (empty), and the id is that of the message.
 */
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

/** media id. A waiting one was created and has no file yet; what is there never changes. */
export type MediaRow =
  | {
      readonly state: 'waiting'
      readonly userId: UserId
      readonly createdTs: number
      readonly expiresTs: number
    }
  | {
      readonly state: 'there'
      readonly userId: UserId
      readonly createdTs: number
      readonly contentType: string
      readonly fileName?: string
      readonly sizeBytes: number
      /** Of the file, hex. */
      readonly sha256: string
    }
export const mediaTable = jsonTable<MediaRow>()('ma', 'media', ['text'])
/** user → what this person's files take together. */
export const mediaUsageTable = jsonTable<{ readonly bytes: number; readonly files: number }>()(
  'mb',
  'media usage',
  ['text'],
)
/** user, media id → until when the file may still be sent. */
export const waitingMediaTable = jsonTable<number>()('mc', 'media without a file', ['text', 'text'])
/** server, media id there → our copy: the file's name here is an id of ours. */
export interface RemoteMediaRow {
  readonly fileId: string
  readonly fetchedTs: number
  readonly contentType: string
  readonly fileName?: string
  readonly sizeBytes: number
  /** Of the file, hex. */
  readonly sha256: string
}
export const remoteMediaTable = jsonTable<RemoteMediaRow>()('md', 'copy of remote media', ['text', 'text'])

// ── push: p ──────────────────────────────────────────────────────────────────────────────────────────

/** user → what this person changed in the default push rules. */
export interface PushRulesRow {
  readonly changes: JsonObject
  readonly position: Position
}
export const pushRulesTable = jsonTable<PushRulesRow>()('pr', 'push rules', ['text'])

/** Unread counts as far as they were evaluated, now and then: a restart need not begin at the last receipt. */
export interface UnreadCheckpointRow {
  readonly upTo: Position
  /** Version of the read marks that the counts stand on. */
  readonly marks: Position
  /** thread → [notifications, highlights] */
  readonly counts: { readonly [thread: string]: readonly [number, number] }
}
/** user, room. */
export const unreadCheckpointTable = jsonTable<UnreadCheckpointRow>()('pc', 'unread checkpoint', [
  'text',
  'text',
])

/** user, app, push key: a browser of theirs that can be rung. */
export interface PusherRow {
  readonly deviceId: string
  readonly appDisplayName: string
  readonly deviceDisplayName: string
  readonly lang: string
  readonly profileTag?: string
  readonly createdTs: number
  /** PushSubscription, as the browser gave it. */
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
}
export const pusherTable = jsonTable<PusherRow>()('pp', 'pusher', ['text', 'text', 'text'])
/** user, app, push key: it is to be rung, because of these rooms. */
export interface RingRow {
  readonly rooms: readonly string[]
  /** Raised by every event: who rings knows whether more came meanwhile. */
  readonly revision: number
  readonly sinceTs: number
  readonly nextTs: number
  readonly attempts: number
}
export const ringTable = jsonTable<RingRow>()('pw', 'pusher to be rung', ['text', 'text', 'text'])
/** position → an event of which nobody has seen yet whom it concerns. */
export const unheardEventTable = jsonTable<string>()('pe', 'event not yet looked at for push', ['position'])
/** `vapid`: the keys by which push services know this server. */
export interface VapidRow {
  readonly publicKey: string
  readonly privateKey: string
}
export const pushSettingTable = jsonTable<VapidRow>()('ps', 'setting of push', ['text'])

// ── sync: s ──────────────────────────────────────────────────────────────────────────────────────────

/** user, filter id (a hash of the filter, so that the same filter is stored once). */
export const filterTable = jsonTable<JsonObject>()('sf', 'filter', ['text', 'text'])

// ── federation: f ────────────────────────────────────────────────────────────────────────────────────

/** peer, lane (0: messages between devices, 1: events), number: what is still to be sent, in its order. */
export type OutboundRow = { readonly ts: number } & (
  | { readonly roomId: RoomId; readonly eventId: EventId }
  | { readonly edu: { readonly edu_type: string; readonly content: JsonObject } }
)
export const outboundTable = jsonTable<OutboundRow>()('fo', 'outbound item', ['text', 'u32', 'position'])
/** peer, key: of several the last counts. `number` tells whether it is still the one that was sent. */
export interface OutboundLatestRow {
  readonly ts: number
  readonly number: number
  readonly edu: { readonly edu_type: string; readonly content: JsonObject }
}
export const outboundLatestTable = jsonTable<OutboundLatestRow>()('fl', 'outbound latest', ['text', 'text'])

// ── health: h ────────────────────────────────────────────────────────────────────────────────────────

/** key of the finding → what is the case and was told; removed when it is over. */
export interface FindingRow extends Finding {
  /** Who found it. */
  readonly source: string
  readonly sinceTs: number
}
export const findingTable = jsonTable<FindingRow>()('hf', 'finding', ['text'])

/** 1, 2, 3 …: findings that came, grew worse or better, and went. The newest thousand or so are kept. */
export interface FindingLogRow extends Finding {
  readonly ts: number
  readonly change: 'found' | 'over'
}
export const findingLogTable = jsonTable<FindingLogRow>()('hl', 'log of findings', ['position'])

/** day since 1970: how full the disk of the data folder was when that day was looked at first. */
export interface DiskSampleRow {
  readonly ts: number
  readonly usedBytes: number
  readonly sizeBytes: number
}
export const diskSampleTable = jsonTable<DiskSampleRow>()('hd', 'disk sample of a day', ['u32'])

/** `clock-seen`: the latest time that was seen while writing. `pseudonym-key`: of people in syslog lines. */
export const healthSettingTable = jsonTable<string | number>()('hs', 'setting of health', ['text'])

/** How far the syslog collector has read: an audit entry and its hash, and a number of the log of findings. */
export interface SyslogCursorRow {
  readonly sequence: number
  readonly hash: string
  readonly finding: number
}
export const syslogCursorTable = jsonTable<SyslogCursorRow>()('hc', 'cursor of syslog', [])
