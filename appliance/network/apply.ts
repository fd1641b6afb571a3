/**
 * Puts network settings into force, until the next start: systemd-networkd's files under /run, a reload, the host's name.
 *
 * What a crash leaves: some files of the new settings beside some of the old. The unit that runs at every start, and two minutes
 * after a trial began, writes all of them again.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NetworkSettings } from '#protocol/network-settings.ts'
import { type Machine, mustRun } from '../program.ts'
import { writeWhole } from '../whole-file.ts'
import { type NetworkdFiles, networkdFiles } from './networkd.ts'

export async function applyNetwork(machine: Machine, settings: NetworkSettings): Promise<void> {
  const folder = join(machine.root, '/run/systemd/network')
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const before = filesIn(folder)
  const after = networkdFiles(settings)
  if (!isSame(before, after)) {
    // Nothing changes a bond or VLAN that exists into another one: it is made anew.
    for (const name of madeBy(before)) {
      if (before.get(`10-${name}.netdev`) !== after.get(`10-${name}.netdev`)) {
        await machine.run('networkctl', ['delete', name])
      }
    }
    for (const name of before.keys()) if (!after.has(name)) rmSync(join(folder, name))
    // networkd is another user.
    for (const [name, text] of after) writeWhole(join(folder, name), text, 0o644)
  }
  await reload(machine)
  writeFileSync(join(machine.root, '/proc/sys/kernel/hostname'), settings.hostName ?? 'letro')
}

/** Without a system bus networkd cannot be asked to reload; it takes up its links again after a restart. */
async function reload(machine: Machine): Promise<void> {
  const { code } = await machine.run('networkctl', ['reload'])
  if (code !== 0) await mustRun(machine, 'systemctl', ['restart', 'systemd-networkd.service'])
}

function filesIn(folder: string): NetworkdFiles {
  const ours = readdirSync(folder).filter(name => /^[1-8]0-.*\.(?:network|netdev)$/.test(name))
  return new Map(ours.map(name => [name, readFileSync(join(folder, name), 'utf8')]))
}

function isSame(a: NetworkdFiles, b: NetworkdFiles): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text)
}

function madeBy(files: NetworkdFiles): string[] {
  return [...files.keys()].flatMap(name => /^10-(.*)\.netdev$/.exec(name)?.[1] ?? [])
}
