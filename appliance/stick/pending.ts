/**
 * Network and time settings of a site that is being set up: settings/pending/, until there is a site.
 *
 * letro.toml is what makes a site, and `letro init` puts it there last. So: pending settings are written, the site is set up, then
 * they take their places. What a crash leaves is decided by letro.toml at the next start: there is a site, and its
 * settings are brought to their places; or there is none, and they are thrown away. Whoever opens the data does that, before
 * anybody can begin anew (appliance/disk).
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type NetworkSettings, networkJson } from '#protocol/network-settings.ts'
import { type TimeSettings, timeJson } from '#protocol/time-settings.ts'
import type { Machine } from '../program.ts'
import { syncFolder, writeWhole } from '../whole-file.ts'

type Place = Pick<Machine, 'paths'>
const names = ['network.json', 'time.json'] as const

/** Durable. */
export function beginProvisioning(machine: Place, network: NetworkSettings | null, time: TimeSettings): void {
  const folder = folderOf(machine)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (network) writeWhole(join(folder, 'network.json'), `${JSON.stringify(networkJson(network), null, 2)}\n`)
  writeWhole(join(folder, 'time.json'), `${JSON.stringify(timeJson(time), null, 2)}\n`)
  syncFolder(machine.paths.settings)
}

/** Takes the settings over where there is a site, throws them away where there is none. Any number of times. */
export function endProvisioning(machine: Place): void {
  const folder = folderOf(machine)
  if (!existsSync(folder)) return
  if (existsSync(machine.paths.configFile)) {
    for (const name of names) {
      if (existsSync(join(folder, name))) renameSync(join(folder, name), join(machine.paths.settings, name))
    }
    syncFolder(machine.paths.settings)
  }
  rmSync(folder, { recursive: true, force: true })
}

function folderOf({ paths }: Place): string {
  return join(paths.settings, 'pending')
}
