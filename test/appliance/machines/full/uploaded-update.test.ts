/** An update that an administrator uploads in the administration view, from far away; and one that restarts in its hours. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext, registerCompletionHandler } from 'ava'
import { SiteMachine } from '../golden.ts'
import { prepared, settings } from '../settings.ts'
import { within } from '../site.ts'

registerCompletionHandler(() => process.exit())
const { next } = prepared()
const update = '/_letro/admin/v1/update'

test.serial(
  'an uploaded update is applied with a passkey, and runs after the restart that was asked for',
  async t => {
    const { own, operator } = await SiteMachine.withPeople(t, 'uploaded')
    const { site, people, machine } = own
    const file = readFileSync(next.update)

    // The updater starts after the server, which serves people first.
    await within(settings.bootMs, () => status(own))
    const refused = await upload(own, file.subarray(0, 1_000_000))
    t.is(refused.status, 409)
    t.log(await refused.text())
    const began = performance.now()
    const taken = await upload(own, file)
    t.is(taken.status, 200)
    t.log(
      `${Math.round(file.length / 1e6)} MB uploaded in ${Math.round((performance.now() - began) / 1000)} s`,
    )
    await applied(t, own)
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
  },
)

test.serial('in the hours that were set it restarts by itself, once', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'in-its-hours')
  const { site, people, machine } = own
  await within(settings.bootMs, () => status(own))
  t.is((await upload(own, readFileSync(next.update))).status, 200)
  await applied(t, own)
  t.is(machine.resets, 0)

  const hour = (ts: number) => new Date(ts).toISOString().slice(11, 16)
  const window = `${hour(Date.now() - 3_600_000)}-${hour(Date.now() + 3_600_000)}`
  const set = await people.confirms('PUT', `${update}/window`, { window })
  t.is(set.status, 200, set.text)
  await within(settings.bootMs, async () => {
    if (machine.resets === 0) throw new Error('it does not restart')
  })
  await site.answers(settings.bootMs)
  await operator.sees(new RegExp(`${next.version} in slot B`), settings.bootMs)
  await within(settings.bootMs, () => status(own))
  t.is((await status(own)).window, window)
  await own.keepsItsPromise(t)
  t.is(machine.resets, 1)
})

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
function status({ site, people }: SiteMachine): Promise<any> {
  return site.ask('GET', update, undefined, people.amalsToken)
}

function upload({ site, people }: SiteMachine, body: Buffer<ArrayBuffer>): Promise<Response> {
  return site.fetch(site.origin + update, {
    method: 'POST',
    headers: { authorization: `Bearer ${people.amalsToken}`, 'content-type': 'application/octet-stream' },
    body,
  })
}

/** Written, and waiting for the restart. */
async function applied(t: ExecutionContext, own: SiteMachine): Promise<void> {
  const asked = await own.people.confirms('POST', `${update}/apply`, { version: next.version })
  t.is(asked.status, 202, asked.text)
  await within(settings.updateMs, async () => {
    const { waiting } = await status(own)
    if (waiting?.version !== next.version) throw new Error(JSON.stringify(waiting))
  })
}
