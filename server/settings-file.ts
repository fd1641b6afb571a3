/**
 * `<data>/settings.json`: what administrators set while the server ran, by key of the configuration.
 *
 *     {"set": {"accounts.registration": "open", "listen.trust_page": null}}
 *
 * It is a file beside the store and no row in it: limits, syslog and the trust page are needed before the store is open, and while
 * it is damaged. It is replaced whole, so that a crash leaves the old one or the new one; backups carry it. Keys that this
 * release does not know stay in it for the one that wrote them.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SetValues } from './config.ts'
import { isObject } from './protocol/json.ts'
import { writeDurably } from './server-keys.ts'

const pathIn = (dataFolder: string) => join(dataFolder, 'settings.json')

/** null: there is a file, and it cannot be read. */
export async function readSettings(dataFolder: string): Promise<SetValues | null> {
  let text: string
  try {
    text = await readFile(pathIn(dataFolder), 'utf8')
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? new Map() : null
  }
  try {
    const { set } = JSON.parse(text) as { set?: unknown }
    if (isObject(set)) return new Map(Object.entries(set))
  } catch {}
  return null
}

export async function writeSettings(dataFolder: string, set: SetValues): Promise<void> {
  await writeDurably(pathIn(dataFolder), `${JSON.stringify({ set: Object.fromEntries(set) }, null, 2)}\n`)
}
