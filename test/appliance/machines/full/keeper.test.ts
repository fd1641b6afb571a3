/** Whoever keeps the machine, with the recovery key on paper: a PIN, an administrator who lost every passkey, and the end. */
import test, { registerCompletionHandler } from 'ava'
import { Authenticator } from '../authenticator.ts'
import { answers, provisioningStick, setUpFromStick } from '../first-start.ts'
import { SiteMachine } from '../golden.ts'
import type { Operator } from '../operator.ts'
import { enrol } from '../people.ts'
import { keys } from '../screen.ts'
import { settings } from '../settings.ts'
import { Site } from '../site.ts'

registerCompletionHandler(() => process.exit())
const pin = '493817'

test('the PIN locks the console, the recovery key recovers an administrator, a factory reset leaves a new machine', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'keeper')
  const { site, people, machine } = own

  await openMenu(operator)
  await operator.choose('PIN: set')
  await operator.choose('Set a PIN')
  await operator.sees(/Six digits or more/)
  await operator.fill(pin, pin)
  await operator.sees(/The PIN is set\./)
  await operator.choose('Go on')
  await operator.sees(/What do you want to do\?/)
  await machine.type(keys.escape)
  await operator.choose('Administer this machine (asks for the PIN)')
  await operator.sees(/Type the PIN of this console/)
  await operator.fill('111111')
  await operator.sees(/PIN_WRONG/)
  await operator.fill(keys.clear + pin)
  await operator.sees(/What do you want to do\?/)

  await operator.choose('Recover an administrator')
  await operator.sees(/The recovery key from paper/)
  await operator.fill(own.setUp.recoveryKey.toLowerCase())
  await operator.sees(/Which administrator\?/, settings.setUpMs)
  await operator.fill('')
  await operator.sees(/The link of the administrator/)
  const link = (await operator.copies('link')).join('')
  await operator.choose('Done: take it from the screen')
  const again = await enrol(site, link, new Authenticator(site.origin))
  t.is(again.userId, people.amal.userId)
  await t.throwsAsync(people.readAll(), { message: /401/ }, 'the sessions from before are over')
  const { entries } = await site.ask(
    'GET',
    '/_letro/admin/v1/audit?action=administrator.recover&order=newest',
    undefined,
    again.token,
  )
  t.is(entries.length, 1, 'it is in the audit')
  people.leave()

  await operator.choose('Administer this machine')
  await operator.sees(/Type the PIN of this console/)
  await operator.fill(pin)
  await operator.choose('Factory reset')
  await operator.sees(/Type clinic\.test to confirm it/)
  await operator.fill('clinic')
  await operator.sees(/This is not clinic\.test/)
  await operator.fill(keys.clear + answers.server_name)
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  await t.throwsAsync(new Site(answers.origin, machine).trust(2_000), undefined, 'nobody is served any more')

  await machine.plug('letroconf', provisioningStick())
  const next = await setUpFromStick(machine)
  t.not(next.recoveryKey, own.setUp.recoveryKey)
  const anew = new Site(answers.origin, machine)
  await anew.trust(settings.setUpMs)
  await anew.answers(settings.bootMs)
  t.notDeepEqual(anew.authority, site.authority, 'another site, with another authority')
})

async function openMenu(operator: Operator): Promise<void> {
  await operator.choose('Administer this machine', settings.bootMs)
  await operator.sees(/What do you want to do\?/)
}
