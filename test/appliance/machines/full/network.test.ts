/**
 * Two cards as one (LACP), a VLAN on them, fixed addresses: typed at the console, tried, kept, and there after a restart. Over them
 * a time server is asked.
 */
import test, { registerCompletionHandler } from 'ava'
import { answers } from '../first-start.ts'
import { SiteMachine } from '../golden.ts'
import type { Operator } from '../operator.ts'
import { RackSwitch } from '../rack-switch.ts'
import { keys } from '../screen.ts'
import { prepared, settings } from '../settings.ts'
import { Site, within } from '../site.ts'

registerCompletionHandler(() => process.exit())

test('a bond with a VLAN and fixed addresses is tried, taken back, kept, and outlives a cable and a restart', async t => {
  const rack = new RackSwitch(prepared().folder, 7)
  t.teardown(() => rack.close())
  const own = await SiteMachine.copy('network')
  const operator = await own.powerOn(t, { rack })
  await operator.sees(/Administer this machine/, settings.bootMs)
  await t.throwsAsync(own.site.trust(5_000), undefined, 'nothing untagged goes through this switch')

  await operator.choose('Administer this machine')
  await tries(operator)
  await own.serves()
  await operator.sees(/10\.0\.2\.15\/24/)
  t.log(own.machine.screen.sentences)
  await isBundled(rack, '1 2')
  // Nobody keeps it.
  await operator.sees(/The old network is back\./, 180_000)
  await t.throwsAsync(new Site(answers.origin, own.machine).trust(5_000))
  await operator.choose('Go on')

  await tries(operator)
  await operator.choose('Yes: keep the new ones')
  await operator.sees(/The new network is kept\./)
  await operator.choose('Go on')
  await own.serves()
  await own.meet()

  await own.machine.cable(1, false)
  await isBundled(rack, '2')
  await own.keepsItsPromise(t)
  await own.machine.cable(1, true)
  await isBundled(rack, '1 2')

  await own.machine.powerOff()
  const again = await own.powerOn(t, { rack })
  await own.serves()
  await again.sees(/10\.0\.2\.15\/24/, settings.bootMs)
  await again.sees(/fec0::15\/64/)
  await own.keepsItsPromise(t)

  await again.choose('Administer this machine')
  await again.choose('Time')
  await again.choose('Time servers')
  await again.sees(/Your organisation's NTP servers/)
  await again.fill('10.0.2.2')
  await again.sees(/The time servers are set\./)
  await again.choose('Go on')
  await again.sees(/What do you want to do\?/)
  await own.machine.type(keys.escape)
  const isRight = new RegExp(
    `${new Date().toISOString().slice(0, 7)}-\\d\\d \\d\\d:\\d\\d UTC, kept right(?! by)`,
  )
  await again.sees(isRight, settings.bootMs)

  // An empty battery, or one that was set wrong: the time server has the last word, and nobody has to come.
  await own.machine.powerOff()
  const wrong = await own.powerOn(t, { rack, clock: '2038-01-01T00:00:00' })
  await wrong.sees(isRight, settings.bootMs)
  await own.serves()
  await own.keepsItsPromise(t)
})

function isBundled(rack: RackSwitch, wanted: string): Promise<void> {
  return within(settings.pageMs, async () => {
    const bundled = rack.bundled.join(' ')
    if (bundled !== wanted) throw new Error(`the switch bundles ${bundled || 'nothing'} instead of ${wanted}`)
  })
}

/** From the menu to the page that asks whether it works. */
async function tries(operator: Operator): Promise<void> {
  await operator.choose('Network')
  await operator.choose('Change it')
  await operator.choose('As I say')
  const [, first, second] = await operator.sees(/Cards of this machine: (\S+), (\S+)/)
  const form = [`${first} ${second}`, '7', '10.0.2.15/24', '10.0.2.2', 'fec0::15/64', 'fec0::2', '10.0.2.3']
  await operator.fill(...form.map(value => keys.clear + value))
  await operator.sees(/Does it work\?/)
}
