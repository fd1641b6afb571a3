/**
 * The whole server, as a fresh machine starts it: the printed link makes the first administrator, who invites somebody,
 * is still there after kill -9, and can be recovered by the local command.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import type { Browser } from 'playwright-core'
import { call } from '../support/client.ts'
import { ServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { launchChromium, plainPage, Visitor } from '../support/visitor.ts'

let browser: Browser
let server: ServerProcess
test.before(async () => {
  browser = await launchChromium()
  server = await ServerProcess.start({
    settings: { 'accounts.passwords': 'false', 'accounts.registration': 'invite' },
  })
})
test.after.always(async () => {
  await browser?.close()
  await server?.remove()
})

test('from the printed link to a recovered administrator', async t => {
  await until(async () => /enrol#\S+/.test(server.output))
  const link = /http:\S+enrol#\S+/.exec(server.output)![0]
  const admin = await Visitor.open(browser)
  await admin.page.goto(plainPage(link))
  await admin.page.getByText('Administrator').waitFor()
  await admin.enrol(link)

  // The administrator signs in, as a client does, and invites somebody.
  const signIn = async () => {
    const { body } = await call(server.base, 'POST', '/_letro/client/v1/passkey/challenge', { body: {} })
    const assertion = await admin.sign(body.options)
    return call(server.base, 'POST', '/_matrix/client/v3/login', {
      body: { type: 'org.letro.login.passkey', assertion, device_id: 'LAPTOP' },
    })
  }
  const session = await signIn()
  t.is(session.status, 200)
  t.is(session.body.user_id, '@admin:localhost')
  const token = session.body.access_token
  const invitation = await call(server.base, 'POST', '/_letro/admin/v1/enrolment-links', {
    token,
    body: { user_id: '@amal:localhost', display_name: 'Amal Nasser' },
  })
  const amal = await Visitor.open(browser)
  await amal.enrol(invitation.body.link)
  const people = await call(server.base, 'GET', '/_letro/admin/v1/people', { token })
  t.deepEqual(
    people.body.people.map((person: { user_id: string; kind: string }) => `${person.user_id} ${person.kind}`),
    ['@admin:localhost administrator', '@amal:localhost member'],
  )

  await server.kill()
  server.output = ''
  await server.start()
  const whoami = () => call(server.base, 'GET', '/_matrix/client/v3/account/whoami', { token })
  t.is((await whoami()).status, 200, 'the session is still there')
  t.notRegex(server.output, /enrol#/, 'no link is printed once there is an administrator')

  const { stdout } = await promisify(execFile)(process.execPath, [
    'provisioning/letro.ts',
    'recover-administrator',
    '--data',
    join(server.folder, 'data'),
  ])
  const recovery = stdout.trim().split('\n').at(-1)!
  t.true(recovery.startsWith(`${server.base}/enrol#`))
  t.is((await whoami()).status, 200, 'nothing ends before the link is used')
  const elsewhere = await Visitor.open(browser)
  await elsewhere.enrol(recovery)
  t.is((await whoami()).status, 401, 'the old sessions are gone')
  t.is((await signIn()).status, 403, 'and so are the old passkeys')

  const checked = await promisify(execFile)(process.execPath, [
    'provisioning/letro.ts',
    'audit',
    'check',
    '--data',
    join(server.folder, 'data'),
  ])
  t.regex(checked.stdout, /whole/)
  t.is(await server.stop(), 0)
})
