/** What trust needs of others, what it shows, and what it tells. Wired in pwa/worker. */
import type { JsonObject } from '#protocol/json.ts'
import type { Http } from '../api/http.ts'
import type { Machine } from '../e2ee/machine.ts'
import type { Verification } from '../e2ee/verification/flow-record.ts'
import type { VaultRecords } from '../vault/records.ts'

export interface TrustDeps {
  readonly machine: Machine
  readonly http: Pick<Http, 'request' | 'origin'>
  readonly records: VaultRecords
  /** As the last sync had it; null: none. */
  readonly accountData: (type: string) => JsonObject | null
  /** A sync was answered, in this vault's life: what is not in the account data is not there. */
  readonly hasSynced: () => Promise<boolean>
  /**
   * What the engine has to send now was answered when this returns, and the engine has the answers.
   * @throws ApiError where the server is not within reach: it leaves later
   */
  readonly flush: () => Promise<void>
  readonly clock: () => number
  /** Calls later; the result calls it off. */
  readonly after: (ms: number, act: () => void) => () => void
  readonly tell: (notice: TrustNotice) => void
}

export type TrustNotice =
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

export interface DeviceEntry {
  readonly deviceId: string
  /** The one that we run on. */
  readonly isOurs: boolean
  readonly displayName: string | null
  readonly lastSeenTs: number | null
  /** From `deviceTrust`. */
  readonly trust: string
  /** From `enrolmentOf`: `none`, `invalid` with a code, or the passkey's name and what it says of itself. */
  readonly enrolment: JsonObject
  /** In groups of four. */
  readonly fingerprint: string
}

export interface PersonTrust {
  readonly userId: string
  /** `none`, `pinned`, `verified`, `changed`, `verification-lost` */
  readonly standing: string
  /** The master key in groups of four; null: none. */
  readonly fingerprint: string | null
  readonly devices: readonly DeviceEntry[]
}

/** How far our own identity is set up on this device. */
export interface IdentityState {
  /** `none`: nobody has one yet: `setUpIdentity`. `locked`: there is one, and this device is not part of it. */
  readonly state: 'unknown' | 'none' | 'locked' | 'ready'
  /** Ways to open secret storage: passkeys' credential ids, and whether a recovery key exists. */
  readonly passkeys: readonly string[]
  readonly hasRecoveryKey: boolean
  /** Devices of ours that our identity vouches for: one of them could verify this one. */
  readonly otherDevices: boolean
  readonly backup: { readonly version: string; readonly waiting: number; readonly total: number } | null
  /** When the recovery key was last typed back; 0: never. */
  readonly recoveryCheckedTs: number
}
