/**
 * All that the console asks of the machine: one port. real-machine.ts does it; tests have a machine of their own.
 *
 * Every method takes one input and a `tell` for what lasts, and either does what it says, whole, or throws
 * MachineRefused with a sentence for the person at the console. None logs what it was given.
 */
import type { JsonObject } from '#protocol/json.ts'
import type { NetworkSettings } from '#protocol/network-settings.ts'
import type { RecoveryKey } from '../disk/recovery-key.ts'

export interface Progress {
  readonly text: string
  /** 0 to 1; null: nobody knows. */
  readonly part: number | null
}
export type Tell = (progress: Progress) => void

export interface Problem {
  /** As it stands in the file or the form. */
  readonly field: string
  readonly sentence: string
}

export class MachineRefused extends Error {
  readonly code: string
  readonly problems: readonly Problem[]
  constructor(code: string, sentence: string, problems: readonly Problem[] = [], options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'MachineRefused'
    this.code = code
    this.problems = problems
  }
}

/** What is the case now; looked at every few seconds. */
export interface Facts {
  readonly release: { readonly version: string; readonly isDevelopment: boolean }
  /** Which slot runs, what the other one holds; null: not known (not an appliance's disk). */
  readonly slots: {
    readonly running: 'a' | 'b'
    /** It has not yet shown that it is well: the next restart may go back. */
    readonly isOnTrial: boolean
    readonly other: string | null
  } | null
  readonly secureBoot: 'on' | 'off' | 'setup' | 'unknown'
  readonly tpm: 'present' | 'absent' | 'unknown'
  /** `sentence`: what is wrong with it, for the person. */
  readonly disk: {
    readonly state: 'new' | 'open' | 'locked' | 'damaged' | 'waiting'
    readonly sentence: string | null
    readonly opensBy: 'tpm' | 'passphrase' | null
  }
  /** Started from a stick or virtual medium: it can be installed to a disk. */
  readonly isRemovable: boolean
  readonly network: readonly {
    readonly name: string
    readonly hasLink: boolean
    /** Hardware, and not made of other cards. */
    readonly isCard: boolean
    /** The bond or VLAN that is made of it. */
    readonly carries: string | null
    readonly addresses: readonly string[]
  }[]
  readonly site: {
    readonly serverName: string
    readonly origin: string
    readonly trustPage: string | null
  } | null
  readonly server: {
    /**
     * maintenance: its data is damaged; out-of-service: the data is sound, and an operator or a restore said so; away: it does not
     * answer, and its `sentences` are the last that it said.
     */
    readonly state: 'none' | 'serving' | 'maintenance' | 'out-of-service' | 'away'
    readonly sentences: readonly string[]
  }
  readonly health: {
    readonly state: 'ok' | 'note' | 'warning' | 'alarm'
    readonly findings: number
  } | null
  readonly certificate: {
    /** In words where devices are told to compare them: of the site's own authority. */
    readonly words: readonly string[]
    readonly fingerprint: string
    readonly untilTs: number | null
  } | null
  /** null: nobody can say. */
  readonly hasAdministrator: boolean | null
  readonly isClockSynchronised: boolean | null
  /** At the start it was far ahead of the last time that is known, and nobody has said that it is right. */
  readonly isClockInDoubt: boolean
  readonly hasPin: boolean
  /** An update that was written and waits for the restart. */
  readonly waitingUpdate: string | null
}

export interface StickFound {
  /** Words, over everything that was taken from it. */
  readonly fingerprint: readonly string[]
  /** trusted: by a key that this machine knows; then nobody has to compare. */
  readonly signature:
    | { readonly kind: 'none' | 'unknown' }
    | { readonly kind: 'trusted'; readonly by: string }
  /** A site is here: only network, time and a certificate are taken. */
  readonly siteExists: boolean
  /** What it says, for approval: label and words. */
  readonly says: readonly (readonly [string, string])[]
}

export interface SetUp {
  /** Nobody is served before the certificate was brought. */
  readonly awaitsCertificate: boolean
  readonly lines: readonly string[]
}

export interface Link {
  readonly link: string
  readonly userId: string
  readonly expiresTs: number | null
  /** null: the server took it; otherwise why it works later only. */
  readonly remark: string | null
}

export interface UpdateFound {
  readonly file: string
  readonly name: string
  readonly from: 'stick' | 'uploaded'
}

export interface Updates {
  readonly found: readonly UpdateFound[]
  /** Hours in which the machine may restart for one by itself; null: never. */
  readonly window: string | null
  /** The last one that the machine tried and came back from. */
  readonly wentBack: string | null
}

export interface UpdateChecked {
  readonly version: string
  readonly sizeBytes: number
}

export interface DiskTarget {
  readonly device: string
  readonly model: string
  readonly sizeBytes: number
  /** What lies on it, in words; null: it is empty. */
  readonly holds: string | null
  /** Why it cannot be taken; null: it can. */
  readonly refused: string | null
}

export interface Machine {
  look(input: null, tell: Tell): Promise<Facts>

  // ── first start ──
  /** null: none is plugged in. Throws where it would be a guess, or is malformed or forged: nothing is changed by that. */
  readStick(input: null, tell: Tell): Promise<StickFound | null>
  /** Made in memory; nothing is written. Throws where the disk could not be made: nobody writes down a key for nothing. */
  newRecoveryKey(input: null, tell: Tell): Promise<RecoveryKey>
  prepareDisk(
    input: {
      readonly recoveryKey: RecoveryKey
      readonly typedBack: RecoveryKey
      /** Of a machine without TPM. */
      readonly passphrase: string | null
      readonly bindsSecureBoot: boolean
    },
    tell: Tell,
  ): Promise<null>
  /** What was read last, if that is what was approved: all or nothing. */
  applyStick(input: { readonly fingerprint: readonly string[] }, tell: Tell): Promise<SetUp>
  /** All or nothing. `request`: the certificate is to be asked for; nobody is served before it is there. */
  setUpSite(input: { readonly answers: JsonObject }, tell: Tell): Promise<SetUp>
  /** Ends when the server answers, in whatever state. */
  awaitServer(input: null, tell: Tell): Promise<Facts>
  firstAdministratorLink(input: null, tell: Tell): Promise<Link>

  // ── the encrypted partition ──
  /** By recovery key or passphrase. */
  openDisk(input: { readonly secret: string }, tell: Tell): Promise<null>
  /** Throws DISK_SECRET_WRONG. */
  checkDiskSecret(input: { readonly secret: string }, tell: Tell): Promise<null>
  /** The TPM of now opens it from the next start on. */
  sealDisk(input: { readonly secret: string; readonly bindsSecureBoot: boolean }, tell: Tell): Promise<null>
  factoryReset(input: null, tell: Tell): Promise<null>
  installTargets(input: null, tell: Tell): Promise<readonly DiskTarget[]>
  install(input: { readonly device: string }, tell: Tell): Promise<null>
  enrolSecureBoot(input: { readonly withMicrosoft: boolean }, tell: Tell): Promise<null>

  // ── settings ──
  networkSettings(input: null, tell: Tell): Promise<NetworkSettings>
  /** In force at once, and taken back by itself at `untilTs` unless kept. */
  tryNetwork(input: NetworkSettings, tell: Tell): Promise<{ readonly untilTs: number }>
  keepNetwork(input: null, tell: Tell): Promise<null>
  takeBackNetwork(input: null, tell: Tell): Promise<null>
  timeSettings(
    input: null,
    tell: Tell,
  ): Promise<{
    readonly servers: readonly string[]
    /** What the start found: it was behind and was set forward; or it is far ahead, and nobody knows. */
    readonly doubt: 'behind' | 'ahead' | null
  }>
  /** Somebody says that it is right. */
  confirmClock(input: null, tell: Tell): Promise<null>
  setTimeServers(input: { readonly servers: readonly string[] }, tell: Tell): Promise<null>
  /** Throws CLOCK_BACK where that is behind what is known to have been, unless that is meant. */
  setClock(input: { readonly ts: number; readonly evenBack: boolean }, tell: Tell): Promise<null>
  checkPin(input: { readonly pin: string }, tell: Tell): Promise<null>
  /** null: no PIN from now on. */
  setPin(input: { readonly pin: string | null }, tell: Tell): Promise<null>

  // ── the server, in its own words ──
  healthText(input: null, tell: Tell): Promise<readonly string[]>
  certificateText(input: null, tell: Tell): Promise<readonly string[]>
  /** @returns the file's name on the stick */
  requestToStick(
    input: { readonly organisation: string; readonly country: string },
    tell: Tell,
  ): Promise<string>
  stickCertificates(input: null, tell: Tell): Promise<readonly string[]>
  importCertificate(
    input: { readonly name: string; readonly passphrase: string | null },
    tell: Tell,
  ): Promise<readonly string[]>
  recoverAdministrator(input: { readonly userId: string | null }, tell: Tell): Promise<Link>
  /** @returns the private key: shown once */
  newBackupKey(input: null, tell: Tell): Promise<{ readonly privateKey: string; readonly recipient: string }>
  backupToStick(input: null, tell: Tell): Promise<string>
  stickBackups(input: null, tell: Tell): Promise<readonly string[]>
  restoreBackup(
    input: { readonly name: string; readonly key: string },
    tell: Tell,
  ): Promise<readonly string[]>
  /** In place of the maintenance token, for `letro` on another machine. */
  maintenanceCode(input: null, tell: Tell): Promise<{ readonly code: string; readonly expiresTs: number }>
  repairStore(input: null, tell: Tell): Promise<readonly string[]>
  /** Where the data is sound: people are served again. */
  serveAgain(input: null, tell: Tell): Promise<void>

  // ── updates and power ──
  findUpdates(input: null, tell: Tell): Promise<Updates>
  checkUpdate(input: { readonly file: string }, tell: Tell): Promise<UpdateChecked>
  applyUpdate(input: { readonly file: string }, tell: Tell): Promise<null>
  restartForUpdate(input: null, tell: Tell): Promise<null>
  /** Such as 02:00-04:00, by the machine's clock (UTC); null: never by itself. */
  setUpdateWindow(input: { readonly window: string | null }, tell: Tell): Promise<null>
  restart(input: null, tell: Tell): Promise<null>
  powerOff(input: null, tell: Tell): Promise<null>

  licences(input: null, tell: Tell): Promise<readonly string[]>
  licence(input: { readonly name: string }, tell: Tell): Promise<string>
}

export type Method = keyof Machine
export type InputOf<M extends Method> = Parameters<Machine[M]>[0]
export type OutputOf<M extends Method> = Awaited<ReturnType<Machine[M]>>

export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly now: number }
  | {
      readonly ok: false
      readonly code: string
      readonly sentence: string
      readonly problems: readonly Problem[]
      readonly now: number
    }
