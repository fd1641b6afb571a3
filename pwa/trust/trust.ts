/**
 * The trust side of a session: what is looked after by itself, and what the engine's notices mean for views.
 *
 * Once a session, when the server is there, and again when something says so: the key backup is there and what is in it is
 * taken, and secrets that are missing are asked of our other devices. What fails for want of a server is done with the
 * next sync.
 */
import { ApiError, isPassing } from '../api/api-error.ts'
import { deviceTrust } from '../e2ee/cross-signing.ts'
import { E2eeError } from '../e2ee/errors.ts'
import { readIdentity } from '../e2ee/identity.ts'
import { readBackup } from '../e2ee/key-backup.ts'
import { knownDevices } from '../e2ee/known-device.ts'
import type { Notice } from '../e2ee/notices.ts'
import { requestMissingSecrets, shouldRequestSecrets } from '../e2ee/secret-sharing.ts'
import { backupSecret, readSecret } from '../e2ee/secrets.ts'
import type { DeviceMessage } from '../e2ee/to-device.ts'
import { readVerification } from '../e2ee/verification/flow-record.ts'
import { DeviceLinks } from './device-links.ts'
import { Enrolments } from './enrolment.ts'
import { TrustError } from './errors.ts'
import { ensureBackup, restoreOnce } from './key-backups.ts'
import { MissingKeys } from './missing-keys.ts'
import { refreshOwnList } from './own-list.ts'
import type { TrustDeps } from './ports.ts'
import { lacksKey } from './storage.ts'

/** Refusals of the engine after which the backup at the server is not the one that we know. */
const backupCodes: ReadonlySet<string> = new Set(['BACKUP_VERSION_GONE', 'BACKUP_UNKNOWN', 'SECRET_MISMATCH'])

export class Trust {
  readonly deps: TrustDeps
  readonly links: DeviceLinks
  readonly enrolments: Enrolments
  readonly missingKeys: MissingKeys
  #due = true
  #hasNews = false
  #running: Promise<void> | null = null
  #closed = false
  readonly #unlisten: () => void

  constructor(deps: TrustDeps) {
    this.deps = deps
    this.links = new DeviceLinks(deps)
    this.enrolments = new Enrolments(deps)
    this.missingKeys = new MissingKeys(deps)
    this.#unlisten = deps.machine.onNotice(notice => void this.#receiveNotice(notice))
  }

  /** Messages between devices that the engine had no use for. */
  async receive(messages: readonly DeviceMessage[]): Promise<void> {
    for (const message of messages) await this.links.receive(message)
  }

  /** The account data of this type changed, here or on another device. */
  accountDataChanged(type: string): void {
    if (!type.startsWith('m.secret_storage.')) return
    this.#due = true
    this.deps.tell({ kind: 'identity' })
  }

  /** The server is there. */
  synced(): void {
    if (this.#closed) return
    if (this.#due && !this.#running) void this.lookAfter()
    void this.#askForKeys()
  }

  /** A vault that is being locked is no failure. */
  async #askForKeys(): Promise<void> {
    try {
      await this.missingKeys.look()
    } catch (error) {
      if (!this.#closed) throw error
    }
  }

  /** What is due is done when this returns, or will be tried again with the next sync. */
  lookAfter(): Promise<void> {
    this.#hasNews = true
    this.#running ??= this.#untilNothingNew().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /**
   * An identity is made or opened while nothing else is looked after: two backups made at once would leave a key in secret storage
   * that does not open the backup.
   */
  async alone<T>(act: () => Promise<T>): Promise<T> {
    while (this.#running) await this.#running
    const acting = act()
    const done = acting
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        this.#running = null
      })
    this.#running = done
    return acting
  }

  /** What is under way comes to nothing. */
  close(): void {
    this.#closed = true
    this.#unlisten()
    this.links.close()
  }

  /** Once more at once where the key of the backup came meanwhile: the next sync may be half a minute away. */
  async #untilNothingNew(): Promise<void> {
    do {
      this.#hasNews = false
      await this.#lookAfter()
    } while (this.#hasNews && !this.#closed)
  }

  async #lookAfter(): Promise<void> {
    this.#due = false
    try {
      await refreshOwnList(this.deps)
      await ensureBackup(this.deps)
      await askOtherDevices(this.deps)
      await restoreOnce(this.deps)
    } catch (error) {
      // Out of reach, or our keys are not there yet: with the next sync.
      if (this.#closed || isPassing(error) || error instanceof TrustError) this.#due = true
      // Refused, or a backup of another kind: as it is, until something changes.
      else if (!(error instanceof ApiError || error instanceof E2eeError)) throw error
    }
  }

  async #receiveNotice(notice: Notice): Promise<void> {
    const { machine, tell } = this.deps
    switch (notice.kind) {
      case 'identity-changed':
      case 'devices-changed':
        if (notice.userId === machine.userId) tell({ kind: 'identity' })
        return tell({ kind: 'person', userId: notice.userId })
      case 'secret':
        if (notice.name === backupSecret) this.#due = this.#hasNews = true
        return tell({ kind: 'identity' })
      case 'refused':
        if (backupCodes.has(notice.code)) this.#due = true
        return
      case 'verification': {
        const verification = await machine.run(step => readVerification(step, notice.flowId))
        if (verification) tell({ kind: 'verification', verification })
        return
      }
      default:
        return
    }
  }
}

/** Verified, and something is missing: those who may have it are asked, once a session. */
async function askOtherDevices(deps: TrustDeps): Promise<void> {
  const { machine } = deps
  const lacksStorage = await lacksKey(deps)
  await machine.run(async (step, own) => {
    const identity = await readIdentity(step, own.userId)
    const isVerified = identity !== null && identity.verifiedKey === identity.masterKey
    const lacksBackup = (await readBackup(step)) !== null && (await readSecret(step, backupSecret)) === null
    if (!isVerified || !(lacksStorage || lacksBackup || (await shouldRequestSecrets(step, own)))) return
    const deviceIds: string[] = []
    for (const { deviceId } of await knownDevices(step, own.userId)) {
      if ((await deviceTrust(step, own, own.userId, deviceId)) === 'verified') deviceIds.push(deviceId)
    }
    if (deviceIds.length > 0) await requestMissingSecrets(step, own, deviceIds)
  })
}
