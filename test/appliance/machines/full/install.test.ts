/** Started from a stick (or a BMC's virtual medium), the console installs to the disk of the machine. */
import { copyFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test, { registerCompletionHandler } from 'ava'
import { answers, provisioningStick, setUpFromStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { Operator } from '../operator.ts'
import { powerOn, prepared, putAway, settings } from '../settings.ts'
import { Site } from '../site.ts'

registerCompletionHandler(() => process.exit())

test('from a stick to the disk, and then without the stick to a site that serves', async t => {
  t.timeout(60 * 60_000)
  const { folder, current } = prepared()
  const installer = join(folder, 'installer.img')
  copyFileSync(current.image, installer)
  // A stick is larger than what is written to it.
  truncateSync(installer, 4 * 1024 ** 3)
  let machine: Machine | undefined
  t.teardown(() => putAway(t, machine))

  machine = await powerOn('install', { hasEmptyDisk: true, bus: 'ahci', sticks: { installer } })
  const operator = new Operator(machine)
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  await operator.choose('Install to a disk of this machine')
  await operator.sees(/Install to which disk\?/, settings.pageMs)
  await operator.choose('/dev/sd')
  await operator.sees(/Everything on this disk is overwritten/, settings.pageMs)
  const [disk] = await operator.copies('disk')
  await operator.fill(disk!.split(' ')[0]!)
  await operator.sees(/Letro is installed\./, settings.updateMs)
  await machine.cut()

  const letroconf = provisioningStick()
  machine = await powerOn('install', { hasEmptyDisk: true, bus: 'ahci', sticks: { letroconf } })
  await setUpFromStick(machine)
  const site = new Site(answers.origin, machine)
  await site.trust(settings.setUpMs)
  await site.answers(settings.bootMs)
  t.pass()
})
