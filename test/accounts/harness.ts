/**
 * Accounts behind real routes and a real HTTP server, over the memory store. Rooms, the clock and Argon2id are
 * doubles: rooms are tables that a test fills, and the hasher counts what it is asked.
 */
import { hash, randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Accounts, openAccounts, type PasswordHasher } from '../../server/accounts/accounts.ts'
import { adminRoutes } from '../../server/admin-api/admin.ts'
import type { AdminToken } from '../../server/admin-api/admin-token.ts'
import type { BackupRouteDeps } from '../../server/admin-api/backups.ts'
import type { CertificateRouteDeps } from '../../server/admin-api/certificate.ts'
import { accountRoutes } from '../../server/client-api/account.ts'
import { accountDataRoutes } from '../../server/client-api/account-data.ts'
import { serverAdminRoutes } from '../../server/client-api/admin.ts'
import { deviceRoutes } from '../../server/client-api/devices.ts'
import { enrolmentRoutes } from '../../server/client-api/enrol.ts'
import { enrolPageRoutes } from '../../server/client-api/enrol-page.ts'
import { openInteractiveAuth } from '../../server/client-api/interactive-auth.ts'
import { loginRoutes } from '../../server/client-api/login.ts'
import { loginTokenRoutes } from '../../server/client-api/login-token.ts'
import { logoutRoutes } from '../../server/client-api/logout.ts'
import { openIdRoutes } from '../../server/client-api/openid.ts'
import { profileRoutes } from '../../server/client-api/profile.ts'
import { refreshRoutes } from '../../server/client-api/refresh.ts'
import { registerRoutes } from '../../server/client-api/register.ts'
import { registrationTokenRoutes } from '../../server/client-api/registration-tokens.ts'
import { tagRoutes } from '../../server/client-api/tags.ts'
import { userDirectoryRoutes } from '../../server/client-api/user-directory.ts'
import { whoamiRoutes } from '../../server/client-api/whoami.ts'
import { silentLog } from '../../server/http/log.ts'
import { noRateLimits } from '../../server/http/rate-limit.ts'
import type { Route } from '../../server/http/route.ts'
import { requestListener } from '../../server/http/server.ts'
import type { ServerName, UserId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { openReports } from '../../server/rooms/reports.ts'
import { openGroupCommit } from '../../server/store/group-commit.ts'
import { MemoryEngine } from '../../server/store/memory-engine.ts'
import type { Store } from '../../server/store/store.ts'
import { Updates } from '../../server/updates/updates.ts'
import { openTestPeers, type TestPeers } from '../peers/acts.ts'
import type { FaultEngine } from '../store/fault-engine.ts'
import { FakeRooms } from './fake-rooms.ts'

export const serverName = 'clinic.example' as ServerName
export const hourMs = 60 * 60 * 1000
export const dayMs = 24 * hourMs

export interface HarnessOptions {
  readonly passwords?: boolean
  readonly registration?: 'invite' | 'open'
  readonly origin?: string
  readonly engine?: MemoryEngine
  /** Around the engine: for writes that fail. */
  readonly faults?: FaultEngine
  readonly rooms?: FakeRooms
  readonly now?: number
  readonly adminToken?: AdminToken
  readonly certificate?: CertificateRouteDeps
  readonly backup?: BackupRouteDeps
  /** Administrators are asked to confirm, as they are in the product; most tests are about something else. */
  readonly asksToConfirm?: boolean
  readonly isClockInDoubt?: () => boolean
  readonly moreRoutes?: (accounts: Accounts) => Route[]
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what came back
  readonly body: any
  readonly headers: Headers
}

export class Harness {
  readonly store: Store
  readonly accounts: Accounts
  readonly rooms: FakeRooms
  readonly engine: MemoryEngine
  readonly hasher: CountingHasher
  readonly origin: string
  readonly peers: TestPeers
  readonly #clock: { now: number }
  /** The administration API as the socket in the data folder has it. */
  readonly localListener: RequestListener
  readonly #close: () => Promise<void>

  constructor(parts: {
    store: Store
    accounts: Accounts
    rooms: FakeRooms
    engine: MemoryEngine
    hasher: CountingHasher
    origin: string
    peers: TestPeers
    clock: { now: number }
    localListener: RequestListener
    close: () => Promise<void>
  }) {
    this.store = parts.store
    this.peers = parts.peers
    this.accounts = parts.accounts
    this.rooms = parts.rooms
    this.engine = parts.engine
    this.hasher = parts.hasher
    this.origin = parts.origin
    this.#clock = parts.clock
    this.localListener = parts.localListener
    this.#close = parts.close
  }

  get now(): number {
    return this.#clock.now
  }

  advance(ms: number): void {
    this.#clock.now += ms
  }

  close(): Promise<void> {
    return this.#close()
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    token?: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await fetch(this.origin + path, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json = answer.headers.get('content-type') === 'application/json'
    return { status: answer.status, body: json && text ? JSON.parse(text) : text, headers: answer.headers }
  }

  get(path: string, token?: string): Promise<Answer> {
    return this.call('GET', path, undefined, token)
  }
  put(path: string, body: unknown, token?: string): Promise<Answer> {
    return this.call('PUT', path, body, token)
  }
  post(path: string, body: unknown, token?: string): Promise<Answer> {
    return this.call('POST', path, body, token)
  }
  delete(path: string, body: unknown, token?: string): Promise<Answer> {
    return this.call('DELETE', path, body, token)
  }

  /** A member with a password and one session. */
  async member(
    localpart: string,
    more: JsonObject = {},
  ): Promise<{ userId: UserId; token: string; deviceId: string; refreshToken?: string }> {
    const passwordHash = await this.hasher.hash(passwordOf(localpart))
    const { userId, session } = await this.accounts.people.register({
      localpart,
      passwordHash,
      session: { refresh: more['refresh_token'] === true, deviceId: more['device_id'] as string | undefined },
    })
    return {
      userId,
      token: session!.accessToken,
      deviceId: session!.deviceId,
      ...(session!.refreshToken === undefined ? {} : { refreshToken: session!.refreshToken }),
    }
  }

  async administrator(localpart = 'root'): Promise<{ userId: UserId; token: string; deviceId: string }> {
    const member = await this.member(localpart)
    await this.accounts.people.setKind('test', member.userId, 'administrator')
    return member
  }
}

export const passwordOf = (localpart: string) => `correct horse ${localpart}`

export class CountingHasher implements PasswordHasher {
  hashes = 0
  verifications = 0
  hash(password: string): Promise<string> {
    this.hashes++
    return Promise.resolve(hash('sha256', `salt ${password}`))
  }
  verify(stored: string, password: string): Promise<boolean> {
    this.verifications++
    return Promise.resolve(hash('sha256', `salt ${password}`) === stored)
  }
}

export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const engine = options.engine ?? new MemoryEngine({ slow: true, seed: 7 })
  const store = await openGroupCommit(options.faults ?? engine, { retryMs: 5 })
  const rooms = options.rooms ?? new FakeRooms(serverName)
  const hasher = new CountingHasher()
  const clock = { now: options.now ?? Date.UTC(2026, 10, 21, 8, 30) }

  // The listener is made once the port is known: the origin of passkeys is exact.
  let listener: ReturnType<typeof requestListener> = (_req, res) => void res.end()
  const server = createServer((req, res) => listener(req, res))
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`

  const deps = {
    store,
    rooms,
    clock: () => clock.now,
    randomBytes: (size: number) => randomBytes(size),
    serverName,
    origin: options.origin ?? origin,
    registration: options.registration ?? 'invite',
    passwords: options.passwords ?? true,
    passwordHasher: hasher,
    ...(options.isClockInDoubt ? { isClockInDoubt: options.isClockInDoubt } : {}),
  } as const
  const accounts = await openAccounts(deps).catch(async error => {
    server.close()
    await store.close()
    throw error
  })
  rooms.store = store
  await accounts.start()
  const interactiveAuth = openInteractiveAuth({ accounts, clock: deps.clock, randomBytes: deps.randomBytes })
  const peers = await openTestPeers(store, accounts, () => clock.now)
  const routes = [
    ...loginRoutes({ accounts }),
    ...loginTokenRoutes({ accounts, interactiveAuth }),
    ...registerRoutes({ accounts, interactiveAuth }),
    ...registrationTokenRoutes({ accounts }),
    ...logoutRoutes({ accounts }),
    ...refreshRoutes({ accounts }),
    ...whoamiRoutes({ accounts }),
    ...accountRoutes({ accounts, interactiveAuth }),
    ...deviceRoutes({ accounts, interactiveAuth }),
    ...profileRoutes({ accounts }),
    ...accountDataRoutes({ accounts }),
    ...tagRoutes({ accounts }),
    ...userDirectoryRoutes({ accounts }),
    ...openIdRoutes({ accounts }),
    ...serverAdminRoutes({ accounts }),
    ...enrolmentRoutes({ accounts, interactiveAuth }),
    ...enrolPageRoutes(),
    ...adminRoutes({
      accounts,
      reports: openReports({ store, clock: () => clock.now }),
      peerActs: peers.acts,
      settings: {
        list: () => [],
        set: () => Promise.reject(new Error('no settings here')),
        reset: () => Promise.reject(new Error('no settings here')),
      },
      oversight: {
        get: async () => null,
        list: async () => ({ rooms: [], more: false, conversations: 0 }),
      },
      health: {
        report: async () => ({ ts: clock.now, state: 'ok', findings: [], readings: {} }),
        log: async () => [],
      },
      backup: options.backup ?? null,
      update: { updates: new Updates({ socket: null, report: () => {} }), audit: async () => {} },
      certificate: options.certificate ?? null,
      site: { serverName, origin: options.origin ?? origin, trustPage: null, authority: () => null },
      adminToken: options.adminToken ?? null,
      confirmed: async ctx => (options.asksToConfirm ? interactiveAuth.confirmedByPasskey(ctx) : true),
    }),
    ...(options.moreRoutes?.(accounts) ?? []),
  ]

  const listening = { routes, limits: noRateLimits, log: silentLog, https: false }
  listener = requestListener(listening)
  return new Harness({
    store,
    accounts,
    rooms,
    engine,
    hasher,
    origin,
    peers,
    clock,
    localListener: requestListener({ ...listening, isLocal: true }),
    close: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await accounts.close()
      await store.close()
    },
  })
}
