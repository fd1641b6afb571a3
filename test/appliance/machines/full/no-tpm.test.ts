/** A machine without a TPM: a passphrase at each start. */
import test, { registerCompletionHandler } from 'ava'
import { answers, provisioningStick, setUpFromStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { Operator } from '../operator.ts'
import { keys } from '../screen.ts'
import { powerOn, putAway, settings } from '../settings.ts'
import { Site } from '../site.ts'

registerCompletionHandler(() => process.exit())

test('without a TPM a passphrase opens the data at each start, and nothing else does', async t => {
  t.timeout(60 * 60_000)
  const passphrase = 'correct horse battery staple'
  let machine: Machine | undefined
  t.teardown(() => putAway(t, machine))
  machine = await powerOn('no-tpm', { tpm: null, sticks: { letroconf: provisioningStick() } })
  await setUpFromStick(machine, { passphrase })
  await machine.powerOff()

  machine = await powerOn('no-tpm', { tpm: null })
  const operator = new Operator(machine)
  const site = new Site(answers.origin, machine)
  await operator.sees(/The data waits for its passphrase\./, settings.bootMs)
  await t.throwsAsync(site.trust(1_000), undefined, 'nobody is served before')
  await operator.choose('Type the passphrase')
  await operator.sees(/Open the data/, settings.pageMs)
  await operator.fill('correct horse battery stapler')
  await operator.sees(/Open the data.*code/, settings.setUpMs)
  await machine.type(keys.clear)
  await operator.fill(passphrase)
  await site.trust(settings.setUpMs)
  await site.answers(settings.bootMs)
  t.pass()
})
