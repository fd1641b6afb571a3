/** A dead battery, or one who set the clock wrong: people are served all the same, and the console says what is the case. */
import test, { registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'
import type { Operator } from '../operator.ts'
import { keys } from '../screen.ts'
import { settings } from '../settings.ts'

registerCompletionHandler(() => process.exit())

for (const year of [1970, 2038]) {
  test(`a clock that says ${year}: the data opens, people are served, nothing is lost`, async t => {
    const { own } = await SiteMachine.withPeople(t, `clock-${year}`)
    await own.machine.powerOff()

    const operator = await own.powerOn(t, { clock: `${year}-01-01T00:00:00` })
    await own.serves(settings.bootMs)
    await own.keepsItsPromise(t)
    if (year === 2038) await putRight(own, operator)
    const [, shown] = await operator.sees(/clock (\d{4})-\d\d-\d\d/, settings.bootMs)
    t.log(`the hardware clock says ${year}, the console ${shown}`)
    t.is(Number(shown), new Date().getUTCFullYear(), 'time never runs back behind what was seen')
    await own.keepsItsPromise(t)
  })
}

/** What lies ahead may be right: nothing is done by it, and somebody has to say so. */
async function putRight({ machine }: SiteMachine, operator: Operator): Promise<void> {
  await operator.sees(/2038-01-01 \d\d:\d\d UTC, in doubt: see the menu, Time/, settings.bootMs)
  await operator.choose('Administer this machine')
  await operator.choose('Time')
  await operator.sees(/Is it right\?/)
  await operator.choose('Set it by hand')
  await operator.fill(new Date().toISOString().slice(0, 16).replace('T', ' '))
  await operator.sees(/The clock is set\./)
  await operator.choose('Go on')
  await operator.sees(/What do you want to do\?/)
  await machine.type(keys.escape)
}
