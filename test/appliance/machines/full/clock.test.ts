/** A dead battery, or one who set the clock wrong: people are served all the same, and the console says what is the case. */
import test, { registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'
import { settings } from '../settings.ts'

registerCompletionHandler(() => process.exit())

for (const year of [1970, 2038]) {
  test(`a clock that says ${year}: the data opens, people are served, nothing is lost`, async t => {
    const own = await SiteMachine.copy(`clock-${year}`)
    await own.powerOn(t)
    await own.serves()
    await own.meet()
    await own.machine.powerOff()

    const operator = await own.powerOn(t, { clock: `${year}-01-01T00:00:00` })
    await own.serves(settings.bootMs)
    await own.keepsItsPromise(t)
    const [, shown] = await operator.sees(/clock (\d{4})-\d\d-\d\d/, settings.bootMs)
    t.log(`the hardware clock says ${year}, the console ${shown}`)
    // Time never runs back behind what was seen; what lies ahead may be right, and a person has to say so.
    t.true(Number(shown) >= new Date().getUTCFullYear())
  })
}
