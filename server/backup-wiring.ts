/** Backups from their parts, for `serving.ts`: what they read, who signs them, when they are due, and what health hears of them. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Parts } from './app.ts'
import { Backups } from './backup/backups.ts'
import { backupFindings } from './backup/findings.ts'
import type { Config } from './config.ts'
import type { Duty } from './duties.ts'
import type { HealthSource, Reading } from './health/finding.ts'
import type { JsonObject } from './protocol/json.ts'
import { signJson } from './protocol/signing.ts'
import { release } from './release.ts'

export interface ServerBackups {
  readonly backups: Backups
  readonly duty: Duty
  readonly source: HealthSource
  readonly reading: Reading
}

const minuteMs = 60_000
/** Other duties wait for this one no longer; a larger backup goes on beside them. */
const waitMs = 2 * minuteMs

export async function openServerBackups(parts: Parts): Promise<ServerBackups> {
  const { settings, dataFolder, host, keys, site, means } = parts
  const serverName = settings.current.server.name
  const backups = await Backups.open({
    serverName,
    release: release.version,
    dataFolder,
    get configuration() {
      return configurationOf(settings.current)
    },
    get card() {
      return site.card.json
    },
    sign: object => signJson(object, serverName, keys.keyId, bytes => keys.sign(keys.keyId, bytes)),
    exportRows: () => host.exportRows(),
    get settings() {
      return settings.current.backup
    },
    clock: means.clock,
    report: (message, fields) => means.log.warn(message, fields),
  })
  return {
    backups,
    duty: {
      name: 'nightly backup',
      everyMs: 5 * minuteMs,
      run: async now => {
        const waiting = new AbortController()
        const { signal } = waiting
        const enough = pause(waitMs, undefined, { ref: false, signal }).catch(() => {})
        await Promise.race([backups.runIfDue(now), enough])
        waiting.abort()
      },
    },
    source: async now => backupFindings(await backups.status(), dataFolder, now),
    reading: async now => {
      const { success, failure } = await backups.status()
      if (!success && !failure) return null
      return {
        ...(success
          ? {
              last_success_ts: success.ts,
              age_seconds: Math.floor((now - success.ts) / 1000),
              bytes: success.bytes,
            }
          : {}),
        ...(failure ? { last_failure_ts: failure.ts, failure: failure.code } : {}),
      }
    },
  }
}

/** What the server ran with. It names files (certificates, tokens); what is in them stays out. */
function configurationOf({ given: _, ...config }: Config): JsonObject {
  return JSON.parse(JSON.stringify(config)) as JsonObject
}
