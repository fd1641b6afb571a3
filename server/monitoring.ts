/**
 * What other machines watch this server by, as the configuration says it: the token of `/_letro/metrics`, and the syslog
 * collector. Read at start, so that a file that will not do is refused there and not missed in the first bad night.
 */
import { readFileSync } from 'node:fs'
import { type BearerToken, readTokenFile, tokenOf } from './admin-api/admin-token.ts'
import type { Config } from './config.ts'
import { StartRefused } from './data-folder.ts'
import { findingLine, syslogHostname } from './health/syslog-line.ts'
import { type Collector, deliver } from './health/syslog-transport.ts'
import type { Log } from './http/log.ts'
import type { ServerName } from './protocol/ids.ts'
import { release } from './release.ts'

export interface Monitoring {
  readonly metricsToken: BearerToken | null
  readonly collector: Collector | null
}

/** Rejects with StartRefused, a sentence for the operator. */
export function readMonitoring({ metrics, syslog }: Config): Monitoring {
  const metricsToken = readMetricsToken(metrics)
  if (!syslog) return { metricsToken, collector: null }
  const { authority, identity } = syslog
  const pem = (key: string, file: string) => orRefused(key, file, () => readPem(file))
  return {
    metricsToken,
    collector: {
      ...syslog.address,
      ...(authority === null
        ? {}
        : { authority: isPem(authority) ? authority : pem('syslog.authority', authority) }),
      ...(identity === null
        ? {}
        : {
            identity: {
              certificate: pem('syslog.certificate', identity.certificate),
              key: pem('syslog.key', identity.key),
            },
          }),
    },
  }
}

/**
 * The store is damaged: nothing can be kept for later, so it is tried once, now. A collector that is away hears it when
 * the data was repaired.
 */
export function announceMaintenance(
  collector: Collector,
  { clock, log, serverName }: { clock: () => number; log: Log; serverName: ServerName },
): void {
  const finding = { code: 'store.maintenance', severity: 'alarm', facts: {} } as const
  const entry = { ...finding, number: 0, ts: clock(), change: 'found' } as const
  const hostname = syslogHostname(serverName)
  const origin = { hostname, version: release.version, pseudonymKey: new Uint8Array() }
  deliver(collector, [findingLine(entry, origin)]).catch(() =>
    log.warn('the syslog collector could not be told of the maintenance'),
  )
}

function readMetricsToken({ tokenFile, tokenSha256 }: Config['metrics']): BearerToken | null {
  if (tokenSha256 !== null) return tokenOf(Buffer.from(tokenSha256, 'hex'))
  const key = 'metrics.token_file'
  return tokenFile === null ? null : orRefused(key, tokenFile, file => readTokenFile(key, file))
}

const isPem = (text: string) => /-----BEGIN [A-Z ]+-----/.test(text)

function readPem(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (!isPem(text)) throw new Error('is no PEM file.')
  return text
}

function orRefused<T>(key: string, file: string, read: (file: string) => T): T {
  try {
    return read(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartRefused(`${key} = ${file}: ${reason}`, { cause: error })
  }
}
