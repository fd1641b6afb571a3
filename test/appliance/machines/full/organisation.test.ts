/** An organisation with an authority of its own: the request leaves on a stick, the certificate comes back on one, a peer's card too. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { registerCompletionHandler } from 'ava'
import { wordsOf } from '../../../../provisioning/peer-card.ts'
import { readCardText } from '../../../../server/protocol/card.ts'
import { OwnAuthority } from '../../../provisioning/own-authority.ts'
import { freePort } from '../../../support/free-port.ts'
import { verify } from '../../../support/primitives.ts'
import { ServerProcess } from '../../../support/server-process.ts'
import { answers, makeDisk, noStick, provisioningStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { Operator } from '../operator.ts'
import { People } from '../people.ts'
import { keys } from '../screen.ts'
import { powerOn, prepared, putAway, settings } from '../settings.ts'
import { Site } from '../site.ts'
import { makeStick, type StickContent } from '../stick.ts'
import { Tools } from '../tools.ts'

registerCompletionHandler(() => process.exit())
const organisations = {
  ...answers,
  certificate: { from: 'organisation' },
  listen: { federation: '[::]:8448' },
}
const tools = new Tools(prepared().tools)
const stick = (label: string, content: StickContent) => makeStick(tools, prepared().folder, label, content)

test("the organisation's authority issues what people are served with, and a stick pins a peer", async t => {
  t.timeout(60 * 60_000)
  const authority = new OwnAuthority()
  let machine: Machine | undefined
  let people: People | undefined
  t.teardown(async () => {
    authority.remove()
    people?.leave()
    await putAway(t, machine)
  })

  machine = await powerOn('organisation', { sticks: { letroconf: provisioningStick(organisations) } })
  const operator = new Operator(machine)
  await operator.sees(/Welcome\. This machine is new\./, settings.bootMs)
  await operator.choose('Set it up from a stick')
  await operator.finds(/Set up this machine as the stick says\?/, noStick)
  await operator.choose('Yes, as it stands here')
  await makeDisk(operator)
  await operator.sees(/The site is set up\. Its certificate is missing\./, settings.setUpMs)
  await machine.unplug('letroconf')

  const empty = stick('REQUEST', {})
  await machine.plug('request', empty)
  await operator.choose('Certificate: write the request')
  await operator.choose('Write a request')
  await operator.sees(/The key stays on this machine/)
  await operator.fill('Klinik S\u00fcd', 'DE')
  await operator.finds(/The request is on the stick\./, { none: /STICK_NONE/, again: 'Try again' })
  const [name] = await operator.copies('file')
  await operator.choose('Go on')
  await machine.unplug('request')
  const request = tools.run('mcopy', ['-i', empty, `::${name}`, '-'])

  const { certificate } = authority.leaf({ request, names: 'DNS:clinic.test,DNS:chat.clinic.test' })
  const chain = { 'chat.pem': certificate + authority.read('middle.pem') }
  await machine.plug('answer', stick('ANSWER', { files: chain }))
  await sleep(8_000)
  await operator.choose('Administer this machine')
  await operator.choose('Certificate')
  await operator.choose('Take a certificate from a stick')
  await operator.choose('chat.pem')
  await operator.sees(/Take this certificate\?/)
  await operator.fill('')
  await operator.sees(/The certificate is taken\./, settings.setUpMs)
  t.log(machine.screen.sentences)
  await operator.choose('Go on')
  // The menu was made before anybody could be served.
  await operator.sees(/What do you want to do\?/)
  await machine.type(keys.escape)
  await machine.unplug('answer')
  const site = new Site(answers.origin, machine)
  site.trusts(authority.read('root.pem'))
  await site.answers(settings.setUpMs)

  await operator.choose('Administer this machine')
  await operator.choose('First administrator')
  await operator.choose('They are right: make the link')
  await operator.sees(/The link of the first administrator/)
  const link = (await operator.copies('link')).join('')
  await operator.choose('Done: take it from the screen')
  people = await People.meet(site, link)
  await people.say('served by our own authority')

  const { card, fingerprint } = await cardOfAnother()
  const more = { ...organisations, time: { servers: ['10.0.2.2'] }, peers: [{ card, fingerprint }] }
  await machine.plug('more', provisioningStick(more))
  await operator.choose('Administer this machine')
  await operator.choose('Settings from a stick')
  await operator.finds(/Take over what the stick says\?/, noStick)
  await operator.choose('Yes, as it stands here')
  await operator.sees(/What the stick says is taken over\./, settings.setUpMs)
  t.log(machine.screen.sentences)
  await operator.choose('Go on')
  const { peers } = await site.ask('GET', '/_letro/admin/v1/peers', undefined, people.amalsToken)
  t.true(JSON.stringify(peers).includes('lab.localhost'))
  await operator.choose('Time')
  await operator.sees(/servers 10\.0\.2\.2/)
  await people.say('and it went on')
})

/** A Letro site elsewhere, for as long as it takes to hand out its card. */
async function cardOfAnother(): Promise<{ card: unknown; fingerprint: string }> {
  const port = await freePort()
  const server = await ServerProcess.start({
    settings: {
      'server.name': 'lab.localhost',
      'listen.federation': `127.0.0.1:${port}`,
      'federation.address': `127.0.0.1:${port}`,
    },
  })
  const text = readFileSync(join(server.folder, 'data/keys/site-card.json'), 'utf8')
  await server.remove()
  const reading = readCardText(text, verify)
  if (reading.kind !== 'card') throw new Error('the card of the other site is none')
  return { card: JSON.parse(text), fingerprint: wordsOf(reading.card.rootKey).join(' ') }
}
