/** Sticks that nobody should be set up by: a new machine says what is wrong, stays new, and takes the good one afterwards. */
import test, { registerCompletionHandler } from 'ava'
import { answers, noStick, setUpFromStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { Operator } from '../operator.ts'
import { powerOn, prepared, putAway, settings } from '../settings.ts'
import { makeStick } from '../stick.ts'
import { Tools } from '../tools.ts'

registerCompletionHandler(() => process.exit())
const good = { 'letro.json': JSON.stringify(answers) }

function stick(files: Record<string, string>, sizeMiB = 64): string {
  return makeStick(new Tools(prepared().tools), prepared().folder, 'LETROCONF', { files, sizeMiB })
}

test('two sticks, one with a wrong field, one with 10,000 files: a clear page each, and the machine stays new', async t => {
  t.timeout(60 * 60_000)
  let machine: Machine | undefined
  t.teardown(() => putAway(t, machine))
  machine = await powerOn('bad-sticks')
  const operator = new Operator(machine)
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  const look = async (pattern: RegExp, notYet = noStick) => {
    await operator.choose('Set it up from a stick')
    await operator.finds(pattern, notYet)
    t.log(machine!.screen.sentences)
    await operator.choose('Back')
    await operator.sees(/Welcome\. This machine is new\./, settings.pageMs)
  }

  await look(noStick.none)
  await machine.plug(
    'wrong',
    stick({ 'letro.json': JSON.stringify({ ...answers, origin: 'http://10.0.0.1' }) }),
  )
  await look(/Nothing was changed\..*letro\.json on the stick cannot be used\..*origin/)
  await machine.unplug('wrong')

  await machine.plug('one', stick(good))
  const alone = /Set up this machine as the stick says\?/
  await look(alone)
  await machine.plug('two', stick({ 'letro.json': JSON.stringify({ ...answers, administrator: 'eve' }) }))
  await look(/The stick cannot be used\. Nothing was changed\./, { none: alone, again: 'Read it again' })
  await machine.unplug('one')
  await machine.unplug('two')

  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`${i % 100}/${i}.txt`, `${i}`]))
  await machine.plug('many', stick({ ...many, ...good }, 128))
  await setUpFromStick(machine)
  t.pass()
})
