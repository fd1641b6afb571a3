/**
 * Where this server answers: people at `listen.client`, other servers at `listen.federation`.
 *
 * The federation port always speaks TLS 1.3. Where the configuration names no certificate, there is one in the data folder
 * (own-certificate.ts). A renewed certificate counts without a restart; its key stands in our card before
 * the first connection sees it, so that no peer meets a key that it does not know.
 */
import { resolve } from 'node:path'
import type { App } from './app.ts'
import type { Config } from './config.ts'
import { formatHostPort, type HostPort } from './config-values.ts'
import { StartRefused } from './data-folder.ts'
import type { Log } from './http/log.ts'
import { type HttpServer, listen, listenAtSocket, type TlsOptions } from './http/server.ts'
import { certificateFiles, makeOwnCertificate, ownAuthority } from './own-certificate.ts'
import { adminSocket } from './protocol/local-request.ts'
import type { RunningSettings } from './running-settings.ts'
import { readTlsFiles, TlsFilesWrong, type TlsMaterial, type TlsPaths, watchTlsFiles } from './tls-files.ts'
import { trustPageListener } from './trust-page/trust-page.ts'

export interface Listeners {
  readonly client: HttpServer
  /** null: `listen.federation` is not set. */
  readonly federation: HttpServer | null
  /** Reads the certificates again. */
  reload(): Promise<void>
  close(graceMs: number): Promise<void>
}

export async function openListeners(
  config: Config,
  app: App,
  log: Log,
  clock: () => number,
): Promise<Listeners> {
  await makeOwnCertificate(config, clock())
  const { people: forPeople, peers: forPeers } = certificateFiles(config)
  const opened: Pick<HttpServer, 'close'>[] = []
  try {
    const shown = material(forPeers)
    const federation =
      shown && config.listen.federation ? await listenForPeers(config.listen.federation, app, shown) : null
    if (federation) opened.push(federation)
    const local = await listenLocally(config, app, log)
    if (local) opened.push(local)
    const trustPage = await openTrustPage(config, app.settings)
    opened.push(trustPage)
    // Last: whoever is answered here finds everything else there.
    const client = await listenAt('listen.client', config.listen.client, app.listener, material(forPeople))
    opened.push(client)
    let present = shown && keysOf(shown)
    let fingerprint256 = (shown ?? material(forPeople))?.fingerprint256
    const renew = async (renewed: TlsMaterial) => {
      if (present) await app.answersWith([...new Set([...present, ...keysOf(renewed)])])
      federation?.renewCertificate(renewed)
      if (forPeople) client.renewCertificate(renewed)
      if (present) {
        present = keysOf(renewed)
        await app.answersWith(present)
      }
      if (renewed.fingerprint256 === fingerprint256) return
      fingerprint256 = renewed.fingerprint256
      log.info('the certificate was renewed')
      await app.noteCertificate(renewed).catch(() => log.warn('the new certificate is not in the audit'))
    }
    const watched = forPeers ?? forPeople
    const watchers = watched ? [watchTlsFiles(watched, renew, message => log.warn(message))] : []
    return {
      client,
      federation,
      reload: async () => void (await Promise.all(watchers.map(watcher => watcher.reload()))),
      async close(graceMs) {
        for (const watcher of watchers) watcher.close()
        await Promise.all(opened.map(server => server.close(graceMs)))
      },
    }
  } catch (error) {
    for (const server of opened) await server.close(0)
    throw error
  }
}

/** The key in use, and those to come: peers learn them all. */
function keysOf({ spkiSha256, otherSpkiSha256 }: TlsMaterial): readonly string[] {
  return [spkiSha256, ...otherSpkiSha256]
}

/** Its key stands in our card first. */
async function listenForPeers(at: HostPort, app: App, tls: TlsMaterial): Promise<HttpServer> {
  await app.answersWith(keysOf(tls))
  return listenAt('listen.federation', at, app.federationListener, { ...tls, minVersion: 'TLSv1.3' })
}

/** By plain http: who needs it cannot speak our https yet. An administrator turns it on and off while the server runs. */
async function openTrustPage(config: Config, settings: RunningSettings): Promise<Pick<HttpServer, 'close'>> {
  const { origin } = config.server
  const site = () => ({ origin, authority: ownAuthority(config) })
  const open = async (at: HostPort | null) =>
    at && listenAt('listen.trust_page', at, trustPageListener(site), undefined)
  let present = await open(settings.current.listen.trustPage)
  settings.follow(async (next, before) => {
    const [at, was] = [next.listen.trustPage, before.listen.trustPage]
    if (at?.host === was?.host && at?.port === was?.port) return null
    const opened = await open(at)
    return {
      done: async () => {
        const old = present
        present = opened
        await old?.close(trustPageGraceMs)
      },
      undo: async () => opened?.close(0),
    }
  })
  return { close: async graceMs => present?.close(graceMs) }
}

/** A page of some kilobytes. */
const trustPageGraceMs = 500

/** A path that is too long for a socket costs `letro` its way in, not the server its start. */
async function listenLocally(config: Config, app: App, log: Log): Promise<Pick<HttpServer, 'close'> | null> {
  const path = resolve(config.server.data, adminSocket)
  try {
    return await listenAtSocket(app.localListener, path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    log.warn('the command letro cannot reach this server by its data folder: no socket there', { code })
    return null
  }
}

function material(paths: TlsPaths | null): TlsMaterial | undefined {
  if (!paths) return undefined
  try {
    return readTlsFiles(paths)
  } catch (error) {
    if (error instanceof TlsFilesWrong) throw new StartRefused(error.message, { cause: error })
    throw error
  }
}

async function listenAt(
  key: 'listen.client' | 'listen.federation' | 'listen.trust_page',
  { host, port }: HostPort,
  listener: App['listener'],
  tls: TlsOptions | undefined,
): Promise<HttpServer> {
  const at = formatHostPort({ host, port })
  try {
    return await listen(listener, { host, port, ...(tls ? { tls } : {}) })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const variable = `LETRO_${key.replace('.', '_').toUpperCase()}`
    const sentences: Record<string, string> = {
      EADDRINUSE: `${key} = ${at} is taken by another program, perhaps another Letro. Stop it, or choose another port: ${variable}=localhost:${port + 1}`,
      EACCES: `${key} = ${at}: this user may not listen there. Ports below 1024 need a privilege; choose a higher one.`,
      EADDRNOTAVAIL: `${key} = ${at}: this machine has no such address.`,
      ENOTFOUND: `${key} = ${at}: there is no such host name.`,
    }
    const sentence =
      sentences[code] ?? (tls ? `tls.certificate or tls.key cannot be used (${code}).` : undefined)
    if (sentence === undefined) throw error
    throw new StartRefused(sentence, { cause: error })
  }
}
