/** Every page of the administration: axe finds nothing, nothing complains, each as a picture to be looked at. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Page } from 'playwright-core'
import { fingerprintWords } from '../../server/protocol/fingerprint-words.ts'
import { mustRead, siteOf } from '../peers/site.ts'
import { call } from '../support/client.ts'
import { freePort } from '../support/free-port.ts'
import { sha256 } from '../support/primitives.ts'
import type { Visitor } from '../support/visitor.ts'
import { Clinic, idOf, inPath } from './administered-clinic.ts'
import { inside, pictures } from './app.ts'
import { violations } from './axe.ts'

/** How it is looked at, and what axe looks for there: colours in the dark, everything else once a direction and width. */
const manners = [
  { name: 'light', language: 'en', theme: 'light', width: 1280, height: 800, rules: undefined },
  { name: 'dark', language: 'en', theme: 'dark', width: 1280, height: 800, rules: ['color-contrast'] },
  { name: 'phone', language: 'de', theme: 'light', width: 390, height: 780, rules: undefined },
  { name: 'arabic', language: 'ar', theme: 'light', width: 1280, height: 800, rules: undefined },
  { name: 'wide', language: 'fr', theme: 'light', width: 1720, height: 960, rules: [] },
] as const

interface View {
  readonly name: string
  readonly hash: string
  readonly open?: (page: Page) => Promise<void>
}

let clinic: Clinic
let root: Visitor
let page: Page
let views: readonly View[]
const complaints: string[] = []

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  // With a certificate that it keeps itself, for those who write from other servers.
  const federation = `127.0.0.1:${await freePort()}`
  clinic = await Clinic.open({ 'listen.federation': federation, 'federation.address': federation })
  root = await clinic.administrator('root', 'Rana Haddad')
  views = await furnish()
  // The first tab keeps the vault open while the second is loaded anew.
  page = await root.newPage()
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
})
test.after.always(async () => {
  await clinic?.close()
})

async function furnish(): Promise<View[]> {
  const amal = await clinic.member('amal', 'Amal Nasser')
  const jonas = await clinic.member('jonas', 'Jonas Weber')
  const leaver = await clinic.member('lea', 'Lea Verne')
  await clinic.member('hostile', `\u202egnirts \u202c${'e\u0301\u0302\u0303'.repeat(30)}`)
  const person = (name: string) => `/people/${inPath(idOf(name))}`
  const ward = await clinic.room('Ward 4 · Cardiology', [amal, jonas, leaver])
  await clinic.room('Clinic', [amal], { creation_content: { type: 'm.space' } })
  const orphan = await clinic.room('Archive committee', [leaver, jonas])
  await clinic.room('Duty roster', [leaver, amal, jonas])
  await clinic.as(amal, 'POST', '/createRoom', { is_direct: true, invite: [jonas.userId] })
  const gone = await clinic.member('gone', 'Gon Estrada')
  const lost = await clinic.room('Old laboratory', [gone, jonas])
  await clinic.ask('POST', `${person('gone')}/deactivate`, { leave_rooms_without_power: true })
  await clinic.ask('PUT', `${person('hostile')}/lock`, { locked: true })
  const expires = Date.now() + 40 * 86_400_000
  await clinic.ask('PUT', `${person('jonas')}/kind`, {
    kind: 'external',
    expires_ts: expires,
    sponsor: amal.userId,
  })
  await clinic.ask('POST', '/enrolment-links', { user_id: idOf('newcomer'), display_name: 'Nora Comer' })
  for (const name of ['court.example', 'hospital.example']) {
    const card = siteOf(name).card(Date.now())
    const fingerprint = fingerprintWords(mustRead(card).rootKey, sha256).join(' ')
    await clinic.ask('POST', '/peers', { card, fingerprint, note: 'Dr. Keller, since spring' })
  }
  await clinic.ask('PUT', '/peers/hospital.example/suspended', { suspended: true })
  const { base } = clinic.world.server
  await clinic.as(amal, 'POST', `/rooms/${inPath(ward)}/report`, { reason: 'Somebody sells things here.' })
  const begun = await call(base, 'POST', '/_letro/admin/v1/command-lines/begin', {
    body: { label: 'letro on a laptop of the operating room', scope: 'read' },
  })
  const { code } = begun.body
  const button = (name: string) => async (page: Page) => {
    await page.locator(name).first().click()
    await page.locator('dialog[open]').waitFor()
  }
  const csv = 'username,name,kind\nnew-one,New One,member\nnew two,Two,emperor\n'
  return [
    { name: 'overview', hash: 'overview' },
    {
      name: 'health-log',
      hash: 'overview',
      // Its heading stands there where it was answered alone.
      open: page => page.locator('.settings section > h3 + .quiet').last().scrollIntoViewIfNeeded(),
    },
    { name: 'people', hash: 'people' },
    { name: 'people-none', hash: 'people', open: page => page.locator('input[type=search]').fill('zzzz') },
    { name: 'invite', hash: 'people', open: button('.settings-acts .button.main') },
    {
      name: 'invite-link',
      hash: 'people',
      open: async page => {
        await button('.settings-acts .button.main')(page)
        await page
          .locator('dialog[open] input')
          .first()
          .fill(`guest-${Math.random().toString(36).slice(2)}`)
        await page.locator('dialog[open] button[type=submit]').click()
        await page.locator('dialog[open] .qr-code svg').waitFor()
      },
    },
    {
      name: 'import',
      hash: 'people',
      open: async page => {
        await button('.settings-acts .button:nth-child(2)')(page)
        await page
          .locator('dialog[open] input[type=file]')
          .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
        await page.locator('.admin-figures').waitFor()
      },
    },
    { name: 'person', hash: `people/${inPath(jonas.userId)}` },
    {
      name: 'deactivate',
      hash: `people/${inPath(leaver.userId)}`,
      open: async page => {
        await page.locator('.button.grave').click()
        await page.locator('dialog[open] .notice.warn').waitFor()
      },
    },
    { name: 'person-over', hash: `people/${inPath(gone.userId)}` },
    { name: 'rooms', hash: 'rooms' },
    { name: 'room', hash: `rooms/${inPath(ward)}` },
    { name: 'room-orphan', hash: `rooms/${inPath(lost)}` },
    { name: 'room-sole', hash: `rooms/${inPath(orphan)}` },
    { name: 'peers', hash: 'peers' },
    { name: 'peer', hash: 'peers/hospital.example' },
    {
      name: 'pin',
      hash: 'peers',
      open: async page => {
        await button('.settings-acts .button.main')(page)
        const card = JSON.stringify(siteOf('port.example').card(Date.now()))
        await page.locator('dialog[open] input[type=file]').setInputFiles({
          name: 'card.json',
          mimeType: 'application/json',
          buffer: Buffer.from(card),
        })
        await page.locator('.admin-compare').waitFor()
      },
    },
    {
      name: 'pin-homeserver',
      hash: 'peers',
      open: async page => {
        await button('.settings-acts .button:nth-child(2)')(page)
        const fields = page.locator('dialog[open] .field input')
        await fields.nth(0).fill('synapse.example')
        await fields.nth(1).fill('ed25519:a_Key1=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo')
        await page.locator('dialog[open] .settings-acts .button').first().click()
        await page.locator('.admin-compare').waitFor()
      },
    },
    {
      name: 'rotate-key',
      hash: 'peers',
      open: button('.settings-page section .settings-acts .button:nth-child(2)'),
    },
    { name: 'certificates', hash: 'certificates' },
    ...(['renew', 'request', 'bring'] as const).map((name, i) => ({
      name: `certificate-${name}`,
      hash: 'certificates',
      open: button(`.settings-rows > li:nth-child(${i + 1}) .button`),
    })),
    { name: 'backup', hash: 'backup' },
    { name: 'audit', hash: 'audit', open: page => page.locator('.settings-acts .button').first().click() },
    { name: 'reports', hash: 'reports' },
    { name: 'configuration', hash: 'configuration' },
    ...['limits.login', 'presence.enabled', 'listen.trust_page'].map(key => ({
      name: `setting-${key}`,
      hash: 'configuration',
      open: button(`.admin-settings > li:has-text("${key}") .button`),
    })),
    {
      name: 'command',
      hash: 'command',
      open: async page => {
        await page.locator('form input').fill(code)
        await page.locator('form button[type=submit]').click()
        await page.locator('dialog[open]').waitFor()
      },
    },
    { name: 'list', hash: '' },
  ]
}

for (const { name, language, theme, width, height, rules } of manners) {
  test.serial(`every page of the administration is in order: ${name}`, async t => {
    await page.setViewportSize({ width, height })
    await page.goto(`${clinic.world.server.base}/#/admin/overview`)
    await page.evaluate(
      `localStorage.setItem('org.letro.manner', ${JSON.stringify(JSON.stringify({ language, theme, calendar: 'gregory', digits: 'latn' }))})`,
    )
    await page.reload()
    if (width > 500) await inside(page)
    await page.locator('#admin-heading').waitFor()
    const found: string[] = []
    for (const view of views) {
      // A dialog is as wide as it is.
      if (name === 'wide' && view.open) continue
      // What was open is closed: a refused command line would be gone.
      await page.evaluate(`location.hash = '#/help/'`)
      await page.locator('.help').waitFor()
      await page.evaluate(`location.hash = ${JSON.stringify(`#/admin/${view.hash}`)}`)
      await settled(page)
      await view.open?.(page)
      await settled(page)
      await page.screenshot({ path: join(pictures, `admin-${view.name}-${name}.png`) })
      const here = rules?.length === 0 ? [] : await violations(page, rules)
      if (!view.open && (await page.locator('.settings .notice.bad button').first().isVisible()))
        here.push('something failed')
      found.push(...[...here, ...complaints.splice(0)].map(each => `${view.name}: ${each}`))
    }
    t.deepEqual(found, [])
  })
}

async function settled(page: Page): Promise<void> {
  await page.locator('.settings').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
  await page.evaluate('document.fonts.ready.then(() => undefined)')
}
