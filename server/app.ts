/**
 * The whole server from its parts: the only place where areas meet.
 *
 * Order of opening: data folder → lock and store → signing key → areas from the lowest up → routes. While data is
 * damaged there are no areas: health, check and repair answer, everything else is 503. After a repair the areas are
 * opened anew over the new store.
 */
import type { RequestListener } from 'node:http'
import { resolve } from 'node:path'
import type { NewLink } from './accounts/enrolment.ts'
import { type AdminToken, readAdminToken } from './admin-api/admin-token.ts'
import type { Demo } from './client-api/demo.ts'
import type { Config } from './config.ts'
import { type DataFolder, markReady, openDataFolder, StartRefused } from './data-folder.ts'
import type { Log } from './http/log.ts'
import { MatrixError } from './http/matrix-error.ts'
import { noRateLimits, openRateLimits, type RateLimits } from './http/rate-limit.ts'
import type { Route } from './http/route.ts'
import { requestListener } from './http/server.ts'
import { maintenanceRoutes } from './maintenance.ts'
import { openRestoreJob } from './maintenance-restore.ts'
import { announceMaintenance, type Monitoring, readMonitoring } from './monitoring.ts'
import { type OwnSite, openOwnSite } from './own-site.ts'
import type { SendPush } from './push/web-push.ts'
import { replaceWithRestored } from './restored-data.ts'
import { checkEvents } from './rooms/scrub.ts'
import { openRunningSettings, type RunningSettings } from './running-settings.ts'
import { KeysMissing, openServerKeys, type ServerKeys } from './server-keys.ts'
import { openServing, type Serving } from './serving.ts'
import { requireUsable } from './settings-check.ts'
import { storeFolder } from './store/level-folder.ts'
import { StoreHost } from './store/store-host.ts'
import type { TlsMaterial } from './tls-files.ts'
import { openWorkerProcess, type WorkerProcess } from './worker-process.ts'

export interface Means {
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Milliseconds that never jump, for how long something takes; the clock itself where it is simulated. */
  readonly monotonic?: () => number
  /** false: no program is started to ask after the machine. Simulated time would ask it without end. */
  readonly asksMachine?: boolean
  readonly randomBytes: (size: number) => Uint8Array
  readonly log: Log
  /** Starts the whole server anew, over the data that a restore has put in place; without it the next start does. */
  readonly restart?: () => void
  /** The way to push services, where it is another one than the network's. */
  readonly sendPush?: SendPush
  /** Who can be signed in by one click: for `npm run demo` alone. */
  readonly demo?: Demo
}

export interface App {
  /** For `http/server.ts`: it answers from now on, whatever state the data is in. */
  readonly listener: RequestListener
  /** The same for other servers. */
  readonly federationListener: RequestListener
  /** The administration API for whoever owns the data folder. */
  readonly localListener: RequestListener
  /** The keys (SPKI SHA-256) of the certificates with which other servers are answered: they stand in our card. */
  answersWith(spkiSha256: readonly string[]): Promise<void>
  /** Another certificate is in use: it goes into the audit. */
  noteCertificate(certificate: Pick<TlsMaterial, 'fingerprint256' | 'notAfterMs'>): Promise<void>
  readonly state: 'serving' | 'maintenance'
  /** The data folder was empty before. */
  readonly isNew: boolean
  readonly maintenanceTokenFile: string
  readonly warnings: readonly string[]
  /** What an administrator may change while it runs, and what is in force. */
  readonly settings: RunningSettings
  /** While nobody administers this server: a new link at each start. */
  firstAdministratorLink(): Promise<NewLink | null>
  /** What the server does by itself and is due now: simulated time calls it. */
  runDuties(): Promise<void>
  /** Lets those who wait for news go with what there is: the first step of a stop. */
  stopWaiting(): void
  close(): Promise<void>
}

/** Rejects with StartRefused (a sentence for the operator) or StoreError. */
export async function openApp(base: Config, means: Means): Promise<App> {
  const { clock, log } = means
  const dataFolder = resolve(base.server.data)
  if (await replaceWithRestored(dataFolder)) log.info('restored data has taken its place')
  const settings = await openRunningSettings(base, dataFolder, {
    toStart: readMonitoring,
    toSet: requireUsable,
  })
  const config = settings.current
  const adminToken = readToken(config.admin.tokenFile)
  const monitoring = readMonitoring(config)
  const folder = await openDataFolder(dataFolder, config.server.name, means)
  const host = await StoreHost.open(storeFolder(dataFolder), { clock, checks: [checkEvents] })
  try {
    const keys = await openKeysOf(dataFolder, folder, means)
    if (folder.isNew) await markReady(dataFolder)
    const site = await openSiteOf(config, dataFolder, folder, keys, means)
    const worker = openWorkerProcess({ dataFolder, log })
    return await run({
      settings,
      dataFolder,
      folder,
      host,
      keys,
      site,
      worker,
      adminToken,
      monitoring,
      means,
    })
  } catch (error) {
    await host.close()
    throw error
  }
}

export interface Parts {
  readonly settings: RunningSettings
  readonly dataFolder: string
  readonly folder: DataFolder
  readonly host: StoreHost
  readonly keys: ServerKeys
  readonly site: OwnSite
  readonly worker: WorkerProcess
  readonly adminToken: AdminToken | null
  readonly monitoring: Monitoring
  readonly means: Means
}

async function run(parts: Parts): Promise<App> {
  const { settings, folder, host, worker, adminToken, means } = parts
  const config = settings.current
  const { log, clock } = means
  // Not by the clock on the wall: set back by a day, it would refuse people for a day.
  const monotonic = means.monotonic ?? clock
  const limits = rateLimitsOf(settings, monotonic)
  const https = config.server.origin.startsWith('https:')
  const listenerOf = (routes: readonly Route[]) => requestListener({ routes, limits, log, https })
  const isInMaintenance = () => serving === null
  const always = maintenanceRoutes({
    host,
    token: folder.maintenanceToken,
    clock,
    repair,
    isInMaintenance,
    enter: async () => {
      if (serving) log.info('in maintenance: an operator said so')
      await leave()
    },
    leave: async () => {
      await closed
      if (!serving) await serve()
    },
    restore: openRestoreJob({
      dataFolder: parts.dataFolder,
      serverName: config.server.name,
      backupFolder: () => settings.current.backup.folder,
      clock,
      isInMaintenance,
      restart: () => means.restart?.(),
    }),
  })
  const away = awayListener(() => host.state.kind)
  const inMaintenance = refuseAll(listenerOf(always), away)
  let serving: Serving | null = null
  let closed: Promise<void> = Promise.resolve()
  let listener: RequestListener = inMaintenance
  let federationListener: RequestListener = away
  let localListener: RequestListener = inMaintenance

  async function serve(): Promise<void> {
    const { state } = host
    if (state.kind !== 'serving') {
      if (state.kind === 'maintenance') enterMaintenance(state.findings.length)
      return
    }
    serving = await openServing(state.store, parts)
    listener = listenerOf([...always, ...serving.routes])
    federationListener = listenerOf(serving.peerRoutes)
    const administration = serving.routes.filter(({ path }) => path.startsWith('/_letro/admin/'))
    localListener = requestListener({
      routes: [...always, ...administration],
      limits: noRateLimits,
      log,
      https,
      isLocal: true,
    })
  }

  function enterMaintenance(findings: number): void {
    log.error('data is damaged or missing: in maintenance until it is repaired', { findings })
    const { collector } = parts.monitoring
    if (collector) announceMaintenance(collector, { clock, log, serverName: config.server.name })
    void leave()
  }

  /** Nobody is served. */
  function leave(): Promise<void> {
    listener = inMaintenance
    federationListener = away
    localListener = inMaintenance
    const leaving = serving
    serving = null
    if (!leaving) return closed
    leaving.stopWaiting()
    closed = leaving.close().catch(() => log.warn('an area did not close in order'))
    return closed
  }

  async function repair(): Promise<object> {
    const report = await host.repair()
    await host.reopen()
    await serve()
    log.info('data was repaired', { serving: host.state.kind === 'serving' })
    return report
  }

  host.onMaintenance(findings => enterMaintenance(findings.length))
  await serve()

  return {
    listener: (request, response) => listener(request, response),
    federationListener: (request, response) => federationListener(request, response),
    localListener: (request, response) => localListener(request, response),
    answersWith: spkiSha256 => parts.site.setTls(spkiSha256),
    noteCertificate: async certificate => serving?.noteCertificate(certificate),
    get state() {
      return serving ? 'serving' : 'maintenance'
    },
    isNew: folder.isNew,
    maintenanceTokenFile: folder.maintenanceTokenFile,
    warnings: [...settings.warnings, ...(adminToken?.warnings ?? [])],
    settings,
    firstAdministratorLink: async () =>
      (await serving?.accounts.enrolment.firstAdministratorLink(config.accounts.firstAdministrator)) ?? null,
    runDuties: async () => serving?.duties.runDue(),
    stopWaiting: () => serving?.stopWaiting(),
    close: async () => {
      await serving?.close()
      await worker.close()
      await host.close()
    },
  }
}

/** In maintenance an unknown endpoint is not unknown: it is away. */
function refuseAll(listener: RequestListener, away: RequestListener): RequestListener {
  return (request, response) => {
    if (/^\/_letro\/(?:health|maintenance\/)/.test(request.url ?? '')) listener(request, response)
    else away(request, response)
  }
}

const awaySentences = {
  serving: 'An administrator has taken the server into maintenance. Try again later.',
  maintenance: 'The server found damaged data and is in maintenance until an administrator repairs it.',
  closed: 'The server is stopping. Try again in a moment.',
}

/** Answers everything with why nobody is served, as the store is now. */
function awayListener(stateOfStore: () => keyof typeof awaySentences): RequestListener {
  return (request, response) => {
    const error = new MatrixError(503, 'M_UNKNOWN', awaySentences[stateOfStore()])
    request.resume()
    response.writeHead(error.status, {
      'Content-Type': 'application/json',
      'Access-Control-Allow-Origin': '*',
      'Retry-After': '60',
    })
    response.end(JSON.stringify({ errcode: error.errcode, error: error.message }))
  }
}

/** Those of the settings, which change while the server runs; who was slowed down begins anew then. */
function rateLimitsOf(settings: RunningSettings, clock: () => number): RateLimits {
  const open = ({ limits }: Config) =>
    limits.enabled ? openRateLimits({ limits: limits.rates, clock }) : noRateLimits
  let now = open(settings.current)
  settings.follow(async (next, before) => {
    if (JSON.stringify(next.limits) === JSON.stringify(before.limits)) return null
    return {
      done: async () => {
        now = open(next)
      },
      undo: async () => {},
    }
  })
  return {
    take: (name, who) => now.take(name, who),
    mustBeLeft: (name, who) => now.mustBeLeft(name, who),
  }
}

function readToken(file: string | null): AdminToken | null {
  if (file === null) return null
  try {
    return readAdminToken(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartRefused(`admin.token_file = ${file}: ${reason}`, { cause: error })
  }
}

async function openKeysOf(dataFolder: string, folder: DataFolder, means: Means): Promise<ServerKeys> {
  try {
    return await openServerKeys(dataFolder, { ...means, mustExist: !folder.isNew })
  } catch (error) {
    if (error instanceof KeysMissing) throw new StartRefused(error.message, { cause: error })
    throw error
  }
}

async function openSiteOf(
  { server, listen, federation }: Config,
  dataFolder: string,
  folder: DataFolder,
  keys: ServerKeys,
  means: Means,
): Promise<OwnSite> {
  const { address, residency } = federation
  const facts = {
    serverName: server.name,
    origin: server.origin,
    address,
    residency: residency ?? undefined,
    awaitsTls: listen.federation !== null,
  }
  try {
    return await openOwnSite({ ...means, ...facts, dataFolder, folder, keys })
  } catch (error) {
    if (error instanceof KeysMissing) throw new StartRefused(error.message, { cause: error })
    throw error
  }
}
