/** An update that an administrator uploads in the administration view, from far away. */
import { readFileSync } from 'node:fs'
import test, { registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'
import { prepared, settings } from '../settings.ts'
import { within } from '../site.ts'

registerCompletionHandler(() => process.exit())
const { next } = prepared()
const update = '/_letro/admin/v1/update'

test('an uploaded update is applied with a passkey, and runs after the restart that was asked for', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'uploaded')
  const { site, people, machine } = own
  const file = readFileSync(next.update)
  const upload = (body: Buffer<ArrayBuffer>) =>
    site.fetch(site.origin + update, {
      method: 'POST',
      headers: { authorization: `Bearer ${people.amalsToken}`, 'content-type': 'application/octet-stream' },
      body,
    })

  // The updater starts after the server, which serves people first.
  const status = () => site.ask('GET', update, undefined, people.amalsToken)
  await within(settings.bootMs, status)
  const refused = await upload(file.subarray(0, 1_000_000))
  t.is(refused.status, 409)
  t.log(await refused.text())
  const began = performance.now()
  const taken = await upload(file)
  t.is(taken.status, 200)
  t.log(`${Math.round(file.length / 1e6)} MB uploaded in ${Math.round((performance.now() - began) / 1000)} s`)

  const asked = await people.confirms('POST', `${update}/apply`, { version: next.version })
  t.is(asked.status, 202, asked.text)
  await within(settings.updateMs, async () => {
    const { waiting } = await status()
    if (waiting?.version !== next.version) throw new Error(JSON.stringify(waiting))
  })
  await own.keepsItsPromise(t)

  const { resets } = machine
  const restart = await people.confirms('POST', `${update}/restart`, {})
  t.is(restart.status, 202, restart.text)
  await within(settings.bootMs, async () => {
    if (machine.resets === resets) throw new Error('it does not restart')
  })
  await site.answers(settings.bootMs)
  await operator.sees(new RegExp(`${next.version} in slot B`), settings.bootMs)
  await own.keepsItsPromise(t)
})
