/**
 * The life of one machine, in order: enrolment of Secure Boot, first start from a stick, people who write, a power cut, an
 * update that is cut and comes again, a broken one that is rolled back, another TPM. Whatever happens, every message that
 * was acknowledged is there afterwards.
 */

import test, { type ExecutionContext, registerCompletionHandler } from 'ava'
import { fingerprintWords } from '#protocol/fingerprint-words.ts'
import { sha256 } from '../../support/primitives.ts'
import { logFirstAnswer, logIdleMemory } from './figures.ts'
import { answers, provisioningStick, type SetUp, setUpFromStick } from './first-start.ts'
import type { Machine } from './machine.ts'
import { Operator } from './operator.ts'
import { People } from './people.ts'
import { powerOn, prepared, putAway, settings } from './settings.ts'
import { Site } from './site.ts'
import { beginUpdate, restartInto, updateStick } from './updating.ts'

let machine: Machine
let site: Site
let people: People
let setUp: SetUp
let isBroken = false

// The clients leave timers behind, of minutes.
registerCompletionHandler(() => process.exit())
test.after.always(t => {
  people?.leave()
  // A hook has not passed anything: whether something broke is what the chapters say.
  return isBroken ? putAway(t, machine) : machine?.cut()
})

/** Each goes on where the one before it ended. */
function chapter(name: string, story: (t: ExecutionContext) => Promise<void>): void {
  test.serial(name, async t => {
    if (isBroken) return t.fail('a chapter before this one failed')
    t.timeout(30 * 60_000)
    isBroken = true
    await story(t)
    t.pass('each step of the story waits for what it wants to see')
    isBroken = !t.passed
  })
}

const { current, next, broken } = prepared()
const name = 'lineage'

/** What was acknowledged is there, can be read, and people go on writing. */
async function messagesAreThere(t: ExecutionContext): Promise<void> {
  t.deepEqual(
    await people.readAll(),
    people.messages.map(({ text }) => text),
  )
  await people.say(`still here, ${people.messages.length}`)
}

async function powerOnAgain(options: Parameters<typeof powerOn>[1] = {}): Promise<Operator> {
  machine = await powerOn(name, options)
  site.door = machine
  return new Operator(machine)
}

chapter(
  'a new machine enrols Secure Boot and is set up from a stick, the recovery key typed back',
  async () => {
    machine = await powerOn(name, { sticks: { letroconf: provisioningStick() } })
    setUp = await setUpFromStick(machine)
    await machine.sees(/sealed by Secure Boot; the TPM opens the data/, settings.pageMs)
    await machine.sees(new RegExp(`${current.version} in slot A; the other slot is empty`))
    await machine.sees(/DEVELOPMENT/)
    await machine.picture(`${machine.options.folder}/home.png`)
    await machine.unplug('letroconf')
  },
)

chapter('two people who trust its own authority write to each other, encrypted', async t => {
  site = new Site(answers.origin, machine)
  await site.trust(settings.bootMs)
  t.deepEqual(setUp.words, fingerprintWords(site.authority, sha256), 'the console shows what devices see')
  people = await People.meet(site, setUp.link)
  await people.say('Welcome to the clinic')
  t.deepEqual(await people.readAll(), ['Welcome to the clinic'])
})

chapter('the plug is pulled right after an answer: what was acknowledged is there', async t => {
  await people.say('the last words before the cut')
  await machine.cut()
  await powerOnAgain()
  await logFirstAnswer(t, machine, site)
  await messagesAreThere(t)
  await logIdleMemory(t, people)
})

chapter('the plug is pulled in the middle of an update: the old release goes on', async t => {
  const operator = new Operator(machine)
  await machine.plug('update', updateStick(next))
  await beginUpdate(operator, next)
  await operator.sees(/(?:[3-8]\d) % /, settings.updateMs)
  await machine.cut()
  const again = await powerOnAgain()
  await site.answers(settings.bootMs)
  await again.sees(new RegExp(`${current.version} in slot A; the other slot`), settings.pageMs)
  await messagesAreThere(t)
})

chapter('an update from a stick: the new release runs, blessed, and has everything', async t => {
  const operator = new Operator(machine)
  await machine.plug('update', updateStick(next))
  const began = performance.now()
  await beginUpdate(operator, next)
  await operator.sees(/The update is written\. It runs after a restart\./, settings.updateMs)
  t.log(`update written in ${Math.round((performance.now() - began) / 1000)} s`)
  await restartInto(operator, machine)
  await site.answers(settings.bootMs)
  const held = `${next.version} in slot B; the other slot holds ${current.version}`
  await operator.sees(new RegExp(held), settings.bootMs)
  await messagesAreThere(t)
  await machine.unplug('update')
})

chapter('a release whose server does not start is rolled back without anybody', async t => {
  const operator = new Operator(machine)
  await machine.plug('broken', updateStick(broken))
  await beginUpdate(operator, broken)
  await operator.sees(/The update is written\. It runs after a restart\./, settings.updateMs)
  const began = performance.now()
  await restartInto(operator, machine)
  await site.answers(settings.rollBackMs)
  t.log(`back in the old release after ${Math.round((performance.now() - began) / 1000)} s`)
  await operator.sees(new RegExp(`${next.version} in slot B`), settings.bootMs)
  await messagesAreThere(t)
  await machine.unplug('broken')
})

chapter('another TPM: the recovery screen; the recovery key opens, and seals anew', async t => {
  await machine.powerOff()
  const operator = await powerOnAgain({ tpm: 'other-chip' })
  await operator.sees(/The data does not open by itself\./, settings.bootMs)
  await operator.choose('Type the recovery key')
  await operator.sees(/Open the data/, settings.pageMs)
  await operator.fill(setUp.recoveryKey)
  await operator.sees(/The data is open\. Seal it to this TPM\?/, settings.setUpMs)
  await operator.choose('Seal it to this TPM')
  await operator.sees(/It is sealed to this TPM\./, settings.setUpMs)
  await operator.choose('Go on')
  await site.answers(settings.setUpMs)
  await messagesAreThere(t)
  await machine.powerOff()
})
