/** The data disk is filled by what people upload: they are told, and nothing that was acknowledged is lost. */
import { randomBytes } from 'node:crypto'
import test, { registerCompletionHandler } from 'ava'
import { answers, provisioningStick, setUpFromStick } from '../first-start.ts'
import type { Machine } from '../machine.ts'
import { People } from '../people.ts'
import { powerOn, putAway, settings } from '../settings.ts'
import { Site } from '../site.ts'

registerCompletionHandler(() => process.exit())

test('with a full disk uploads are refused, the messages are there, and a restart finds them', async t => {
  t.timeout(60 * 60_000)
  let machine: Machine | undefined
  let people: People | undefined
  t.teardown(async () => {
    people?.leave()
    await putAway(t, machine)
  })
  const letroconf = provisioningStick()
  // The data partition gets what two slots leave over: about half a gigabyte.
  machine = await powerOn('full-disk', { diskGiB: 4.7, sticks: { letroconf } })
  const { link } = await setUpFromStick(machine)
  const site = new Site(answers.origin, machine)
  await site.trust(settings.setUpMs)
  people = await People.meet(site, link)
  await people.say('before the disk is full')

  const file = randomBytes(16 * 1024 * 1024)
  let refusal: Response | undefined
  for (let i = 0; i < 200 && !refusal; i++) {
    const answer = await site.fetch(`${site.origin}/_matrix/media/v3/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${people.amalsToken}`, 'content-type': 'application/octet-stream' },
      body: file,
    })
    if (answer.status !== 200) refusal = answer
    else await answer.arrayBuffer()
  }
  t.truthy(refusal, 'at some time there is no room any more')
  t.log(`${refusal!.status} ${await refusal!.text()}`)
  const expected = people.messages.map(({ text }) => text)
  t.deepEqual(await people.readAll(), expected)

  await machine.cut()
  machine = await powerOn('full-disk', { diskGiB: 4.7 })
  site.door = machine
  await site.answers(settings.bootMs)
  t.deepEqual(await people.readAll(), expected)
})
