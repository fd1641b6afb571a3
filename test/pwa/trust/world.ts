/**
 * Devices with their trust side at one server in memory: the engine's hub, and what trust asks of a server beside it.
 * Time stands still; a test lets timers go off.
 */
import { ApiError } from '../../../pwa/api/api-error.ts'
import type { Machine } from '../../../pwa/e2ee/machine.ts'
import type { OutgoingRequest } from '../../../pwa/e2ee/requests.ts'
import type { TrustDeps, TrustNotice } from '../../../pwa/trust/ports.ts'
import { Trust } from '../../../pwa/trust/trust.ts'
import { MemoryRecords } from '../../../pwa/vault/memory-records.ts'
import type { TrustCalls } from '../../../pwa/worker/calls.ts'
import { trustCalls } from '../../../pwa/worker/trust-calls.ts'
import type { JsonObject } from '../../../server/protocol/json.ts'
import { Hub, OurDevice, type Participant } from '../../e2ee/hub.ts'

/** The hub, and a person's account data and backups. */
export class TrustServer extends Hub {
  readonly accountData = new Map<string, JsonObject>()
  readonly backups: JsonObject[] = []
  /** Called with each request; what it throws is what the device gets. */
  onRequest: (path: string, body: JsonObject) => void = () => {}
  /** It knows of no such version. */
  refusesBackup = false
  /** No answers any more. */
  isDown = false
}

interface Timer {
  readonly ms: number
  readonly act: () => void
}

export class TrustDevice implements Participant {
  readonly userId: string
  readonly deviceId: string
  readonly server: TrustServer
  readonly device: OurDevice
  readonly trust: Trust
  readonly calls: TrustCalls
  readonly told: TrustNotice[] = []
  readonly records: MemoryRecords
  readonly timers = new Set<Timer>()
  /** What the last sync had; null: everything, at once. */
  #synced: ReadonlyMap<string, JsonObject> | null = null

  private constructor(server: TrustServer, device: OurDevice, records = new MemoryRecords()) {
    this.records = records
    this.server = server
    this.device = device
    this.userId = device.userId
    this.deviceId = device.deviceId
    this.trust = new Trust(this.#deps())
    this.calls = trustCalls(() => this.trust)
  }

  static async open(server: TrustServer, userId: string, deviceId: string): Promise<TrustDevice> {
    const device = await OurDevice.open(server, userId, deviceId)
    const open = new TrustDevice(server, device)
    server.participants[server.participants.indexOf(device)] = open
    return open
  }

  hasSynced = true

  /** As after a crash: from what was stored. */
  restarted(): TrustDevice {
    this.trust.close()
    const again = new TrustDevice(this.server, this.device, this.records)
    this.server.participants[this.server.participants.indexOf(this)] = again
    return again
  }

  /** Account data that is written from now on comes with no sync, until it is told to. */
  lagBehind(isLagging: boolean): void {
    this.#synced = isLagging ? new Map(this.server.accountData) : null
  }

  get machine(): Machine {
    return this.device.machine
  }

  /** What was told of links, as `state` or `state CODE`. */
  get links(): string[] {
    return this.told.flatMap(notice =>
      notice.kind === 'device-link' ? [[notice.state, notice.code].filter(Boolean).join(' ')] : [],
    )
  }

  async turn(): Promise<boolean> {
    if (this.server.isDown) return false
    const waiting = this.machine.outgoingRequests().length
    await this.flush()
    const sync = this.server.sync(this)
    const messages = await this.machine.receiveSync({
      toDevice: sync.toDevice,
      deviceLists: { changed: sync.changed, left: [] },
      oneTimeKeyCounts: { signed_curve25519: sync.oneTimeKeyCount },
      unusedFallbackKeyTypes: sync.unusedFallback,
    })
    await this.trust.receive(messages)
    return waiting + sync.toDevice.length + sync.changed.length > 0
  }

  async flush(): Promise<void> {
    for (const request of this.machine.outgoingRequests()) {
      this.#reach(request.kind, request.body)
      await this.machine.receiveAnswer(request.id, this.#answer(request))
    }
  }

  /** All timers that are set for so long go off. */
  fire(ms: number): void {
    for (const timer of [...this.timers]) {
      if (timer.ms !== ms) continue
      this.timers.delete(timer)
      timer.act()
    }
  }

  #deps(): TrustDeps {
    const { server, device } = this
    return {
      machine: device.machine,
      http: {
        origin: 'https://letro.test',
        request: async (method, path, { body = {} } = {}) => this.#request(method, path, body),
      },
      records: this.records,
      hasSynced: async () => this.hasSynced,
      accountData: type => (this.#synced ?? server.accountData).get(`${device.userId} ${type}`) ?? null,
      flush: () => this.flush(),
      clock: () => device.now,
      after: (ms, act) => {
        const timer = { ms, act }
        this.timers.add(timer)
        return () => this.timers.delete(timer)
      },
      tell: notice => this.told.push(notice),
    }
  }

  #answer(request: OutgoingRequest): JsonObject | null {
    const { body } = request
    if (request.kind === 'account-data') {
      this.server.accountData.set(`${this.userId} ${request.type}`, structuredClone(body))
      return {}
    }
    if (request.kind === 'backup-keys') return this.server.refusesBackup ? null : { count: 0 }
    const eventType = request.kind === 'to-device' ? request.eventType : undefined
    return this.server.answer(this, request.kind, structuredClone(body), eventType)
  }

  #request(method: string, path: string, body: JsonObject): JsonObject {
    this.#reach(path, body)
    const [, , , , ...parts] = path.split('/').map(decodeURIComponent)
    const missing = () => new ApiError('M_NOT_FOUND', 'none', { status: 404 })
    switch (`${method} ${parts.slice(0, 2).join('/')}`) {
      case 'PUT sendToDevice/org.letro.device_link':
        return this.server.answer(this, 'to-device', structuredClone(body), parts[1])
      case 'POST login/get_token':
        return { login_token: 'a token. of letters/', expires_in_ms: 120_000 }
      case 'POST keys/device_signing':
        return this.server.answer(this, 'cross-signing-upload', structuredClone(body))
      case 'POST room_keys/version':
        this.server.backups.push(body)
        return { version: String(this.server.backups.length) }
      case 'GET room_keys/version': {
        const newest = this.server.backups.at(-1)
        if (!newest) throw missing()
        return { ...newest, version: String(this.server.backups.length), count: 0 }
      }
      case 'GET devices':
        return { devices: [] }
      case 'GET room_keys/keys':
        return { rooms: {} }
      case `GET user/${this.userId}`: {
        const content = this.server.accountData.get(`${this.userId} ${parts[3]}`)
        if (!content) throw missing()
        return content
      }
      default:
        throw new Error(`the server does not know ${method} ${path}`)
    }
  }

  #reach(what: string, body: JsonObject): void {
    if (this.server.isDown) throw new ApiError('OFFLINE', 'the server is down')
    this.server.onRequest(what, body)
  }
}
