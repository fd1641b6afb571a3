/** On hardware nobody's keys are enrolled by themselves: it is a typed choice, with Microsoft's authorities beside ours. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { registerCompletionHandler } from 'ava'
import { answers, provisioningStick, setUpFromStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { Operator } from '../operator.ts'
import { powerOn, putAway, settings } from '../settings.ts'
import { Site } from '../site.ts'

registerCompletionHandler(() => process.exit())

test("Secure Boot is switched on at the console, with Microsoft's authorities, before the disk is made", async t => {
  t.timeout(60 * 60_000)
  let machine: Machine | undefined
  t.teardown(() => putAway(t, machine))
  const options = { isHardware: true, sticks: { letroconf: provisioningStick() } }
  machine = await powerOn('hardware', options)
  const operator = new Operator(machine)
  const enrolled = () => readFileSync(join(machine!.options.folder, 'firmware.fd')).toString('latin1')
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  t.notRegex(enrolled(), /Microsoft Corporation UEFI CA/)
  await operator.choose('Secure Boot')
  await operator.sees(/in setup mode: our keys can be enrolled/)
  await operator.choose("Enrol our keys and Microsoft's")
  await operator.sees(/The firmware will start what we or Microsoft signed\./)
  await operator.fill('ENROL')
  await operator.sees(/The keys are enrolled at the next start\./, settings.setUpMs)
  await machine.cut()

  machine = await powerOn('hardware', options)
  const again = new Operator(machine)
  await again.sees(/Welcome\. This machine is new\./, settings.bootMs)
  t.regex(enrolled(), /Microsoft Corporation UEFI CA 2011/)
  t.regex(enrolled(), /Microsoft UEFI CA 2023/)
  await setUpFromStick(machine)
  const site = new Site(answers.origin, machine)
  await site.trust(settings.setUpMs)
  await again.sees(/Secure Boot; the TPM opens the data/, settings.bootMs)
})
