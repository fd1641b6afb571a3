/**
 * What the parts of accounts share: the store, the clock, randomness, hooks for other areas, and the door
 * through which cached sessions are forgotten. Owner of every transaction about a person is the user id.
 */
import { hash as digest } from 'node:crypto'
import { encodeBase64Url } from '../protocol/base64.ts'
import type { DeviceId, ServerName, UserId } from '../protocol/ids.ts'
import type { Rooms } from '../rooms/rooms.ts'
import type { Store, Transaction } from '../store/store.ts'

/** What accounts needs of rooms. */
export type RoomsPort = Pick<
  Rooms,
  'serverName' | 'view' | 'memberships' | 'sharesRoomWith' | 'roomIds' | 'send'
>

/** Argon2id in the child process: the event loop is for the protocol. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  verify(hash: string, password: string): Promise<boolean>
}

export type DeviceRemoved = (tx: Transaction, userId: UserId, deviceId: DeviceId) => Promise<void> | void
export type DeviceRenamed = DeviceRemoved
export type AccountRemoved = (
  tx: Transaction,
  userId: UserId,
  options: { readonly erase: boolean },
) => Promise<void> | void

export interface AccountsDeps {
  readonly store: Store
  readonly rooms: RoomsPort
  readonly clock: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly serverName: ServerName
  /** The https URL that people open, without a path; its host is the passkeys' rpId. */
  readonly origin: string
  readonly registration: 'invite' | 'open'
  readonly passwords: boolean
  readonly passwordHasher: PasswordHasher
  /** What cannot be taken back is not done by a clock that has just jumped. */
  readonly isClockInDoubt?: () => boolean
  /** Something went wrong in the background; no secrets, no identities. */
  readonly report?: (message: string, cause?: unknown) => void
}

export interface Core extends AccountsDeps {
  readonly deviceRemoved: DeviceRemoved[]
  readonly deviceRenamed: DeviceRenamed[]
  readonly accountRemoved: AccountRemoved[]
  /** May this device id be given out? (Not if it is a cross-signing key.) */
  readonly deviceIdRefused: ((userId: UserId, deviceId: string) => Promise<boolean>)[]
  /** Drops cached sessions of a person: after every commit that changed the account or ended a token. */
  forgetSessions(userId: string): void
  readonly isClockInDoubt: () => boolean
  readonly report: (message: string, cause?: unknown) => void
}

export function sha256(message: string | Uint8Array): Uint8Array {
  return digest('sha256', message, 'buffer')
}

/** How tokens and link secrets are kept: nobody who reads the store can use one. */
export function hashSecret(secret: string): string {
  return digest('sha256', secret, 'base64url')
}

/** 256 bits; the prefix lets people and scanners recognise what leaked. */
export function newSecret(core: Pick<Core, 'randomBytes'>, prefix: string): string {
  return `${prefix}_${encodeBase64Url(core.randomBytes(32))}`
}
