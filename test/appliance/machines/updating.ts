/** An update by stick, as somebody does it at the console. */

import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from './machine.ts'
import type { Operator } from './operator.ts'
import { prepared, type Release, settings } from './settings.ts'
import { makeStick } from './stick.ts'
import { Tools } from './tools.ts'

/** @returns the stick's image */
export function updateStick(release: Release): string {
  const { tools, folder } = prepared()
  const copies = { [basename(release.update)]: release.update }
  return makeStick(new Tools(tools), folder, 'UPDATE', { copies, sizeMiB: 400 })
}

/** The whole of it: the new release runs in slot B, and was found well. */
export async function applyUpdate(operator: Operator, machine: Machine, release: Release): Promise<void> {
  await machine.plug('update', updateStick(release))
  await beginUpdate(operator, release)
  await operator.sees(/The update is written\. It runs after a restart\./, settings.updateMs)
  await restartInto(operator, machine)
  await operator.sees(new RegExp(`${release.version} in slot B; the other slot holds`), settings.bootMs)
  await machine.unplug('update')
}

/** From the home to the writer's first progress. */
export async function beginUpdate(operator: Operator, release: Release): Promise<void> {
  await openUpdates(operator)
  await operator.choose(basename(release.update))
  await operator.sees(new RegExp(`Update to ${release.version}\\?`), settings.updateMs)
  await operator.choose('Write it to the other slot')
}

export async function openUpdates(operator: Operator): Promise<void> {
  await operator.choose('Administer this machine', settings.bootMs)
  await operator.sees(/What do you want to do\?/, settings.pageMs)
  await operator.choose('Update')
  await operator.finds(/Updates that were found/, { none: /No update was found/, again: 'Look again' })
}

/** From "the update is written" until the machine has left the old release. */
export async function restartInto(operator: Operator, machine: Machine): Promise<void> {
  const { resets } = machine
  await operator.choose('Restart now')
  const end = performance.now() + settings.bootMs
  while (machine.resets === resets) {
    if (performance.now() > end) throw new Error(`It does not restart:\n${machine.screen.text}`)
    await sleep(200)
  }
}
