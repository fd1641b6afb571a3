/**
 * Where this server answers: people at `listen.client`, other servers at `listen.federation`.
 *
 * The federation port always speaks TLS 1.3. Without a configured certificate it has one of the appliance's private
 * authority, made at the first start. A renewed certificate counts without a restart; its key stands in our card before
 * the first connection sees it, so that no peer meets a key that it does not know.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { App } from './app.ts'
import type { Config } from './config.ts'
import { formatHostPort, type HostPort } from './config-values.ts'
import { StartRefused } from './data-folder.ts'
import type { Log } from './http/log.ts'
import { type HttpServer, listen, listenAtSocket, type TlsOptions } from './http/server.ts'
import { adminSocket } from './protocol/local-request.ts'
import { readTlsFiles, TlsFilesWrong, type TlsMaterial, type TlsPaths, watchTlsFiles } from './tls-files.ts'

export interface Listeners {
  readonly client: HttpServer
  /** null: `listen.federation` is not set. */
  readonly federation: HttpServer | null
  /** Reads the certificates again. */
  reload(): Promise<void>
  close(graceMs: number): Promise<void>
}

export async function openListeners(config: Config, app: App, log: Log): Promise<Listeners> {
  const configured = config.tls
  const forPeers = config.listen.federation ? (configured ?? (await ownCertificate(config))) : null
  const opened: Pick<HttpServer, 'close'>[] = []
  try {
    const shown = material(forPeers)
    const federation =
      shown && config.listen.federation ? await listenForPeers(config.listen.federation, app, shown) : null
    if (federation) opened.push(federation)
    const local = await listenLocally(config, app, log)
    if (local) opened.push(local)
    // Last: whoever is answered here finds everything else there.
    const client = await listenAt('listen.client', config.listen.client, app.listener, material(configured))
    opened.push(client)
    let present = shown?.spkiSha256
    const renew = async (renewed: TlsMaterial) => {
      if (present !== undefined) await app.answersWith([...new Set([present, renewed.spkiSha256])])
      federation?.renewCertificate(renewed)
      if (configured) client.renewCertificate(renewed)
      if (present !== undefined) {
        present = renewed.spkiSha256
        await app.answersWith([present])
      }
      log.info('the certificate was renewed')
    }
    const watched = forPeers ?? configured
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

/** Its key stands in our card first. */
async function listenForPeers(at: HostPort, app: App, tls: TlsMaterial): Promise<HttpServer> {
  await app.answersWith([tls.spkiSha256])
  return listenAt('listen.federation', at, app.federationListener, { ...tls, minVersion: 'TLSv1.3' })
}

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

/** Issuing certificates is the business of `provisioning`, in a process of its own: nothing of it is loaded here. */
async function ownCertificate(config: Config): Promise<TlsPaths> {
  const folder = resolve(config.server.data, 'tls')
  const paths = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  if (existsSync(paths.certificate) && existsSync(paths.key)) return paths
  const script = join(import.meta.dirname, '../provisioning/make-certificate.ts')
  const names = [...new Set([config.server.name.replace(/:[0-9]+$/, ''), config.federation.address.host])]
  try {
    await promisify(execFile)(process.execPath, [script, folder, ...names])
  } catch (error) {
    const why = error instanceof Error && 'stderr' in error ? ` ${error.stderr}`.trimEnd() : ''
    throw new StartRefused(
      `No certificate is configured (tls.certificate, tls.key), and making one in ${folder} failed.${why}`,
      { cause: error },
    )
  }
  return paths
}

async function listenAt(
  key: 'listen.client' | 'listen.federation',
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
