/** An administrator updates an appliance in the app: a real updater, in a process of its own, on files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import type { Visitor } from '../support/visitor.ts'
import { Clinic, goTo } from './administered-clinic.ts'
import { inside, pictures } from './app.ts'
import { violations } from './axe.ts'

interface Files {
  readonly folder: string
  readonly socket: string
  readonly good: string
  readonly old: string
}

let updater: ChildProcess
let files: Files
let clinic: Clinic
let root: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  updater = spawn(process.execPath, [join(import.meta.dirname, '../support/updater-process.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: updater.stdout! })
  files = await new Promise(resolve => lines.once('line', line => resolve(JSON.parse(line))))
  clinic = await Clinic.open({ 'appliance.update_socket': files.socket })
  root = await clinic.administrator('root', 'Rana Haddad')
})
test.after.always(async () => {
  await clinic?.close()
  updater?.kill()
  if (files) rmSync(files.folder, { recursive: true, force: true })
})

test.afterEach.always(async t => {
  if (!t.passed) await root.page.screenshot({ path: join(pictures, 'updates-failed.png') })
})

const dialog = (who: Visitor) => who.page.locator('dialog[open]')
const images = () => readdirSync(join(files.folder, 'efi/EFI/Linux')).sort()

test.serial(
  'a file that is older is refused in the words of the page; a good one is uploaded, looked at, written, and waits',
  async t => {
    const { page } = root
    await goTo(root, 'updates')
    // A version is isolated: it reads from left to right in every language.
    await page.getByText(/Release [\u2066-\u2069]*1\.0\.0[\u2066-\u2069]* runs\./).waitFor()
    await page.getByLabel('Update file').setInputFiles(files.old)
    await page.getByRole('button', { name: 'Upload and check' }).click()
    await page.getByRole('alert').getByText('updates only go forward').waitFor()
    t.deepEqual(images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good'])
    await page.getByLabel('Update file').setInputFiles(files.good)
    await page.getByRole('button', { name: 'Upload and check' }).click()
    await page.getByText('is here, signed and whole').waitFor()
    t.deepEqual(images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good'])
    await page.getByRole('button', { name: 'Write it' }).click()
    await dialog(root).getByRole('button', { name: 'Write it' }).click()
    await page.getByText('is written and waits for a restart').waitFor()
    t.deepEqual(images(), ['letro_1.0.0+3.efi', 'letro_1.0.0.good', 'letro_1.1.0+3.efi'])
    await page.getByRole('button', { name: 'Change hours' }).click()
    await dialog(root).getByText('Let it restart by itself').click()
    await dialog(root).getByLabel('From').fill('01:30')
    await dialog(root).getByRole('button', { name: 'Save' }).click()
    await page.getByText('01:30-04:00').waitFor()
  },
)

for (const [name, language, theme, width] of [
  ['light', 'en', 'light', 1280],
  ['dark', 'en', 'dark', 1280],
  ['phone', 'de', 'light', 390],
  ['arabic', 'ar', 'light', 1280],
  ['french', 'fr', 'light', 1280],
] as const) {
  test.serial(`the page is in order: ${name}`, async t => {
    const { page } = root
    await page.setViewportSize({ width, height: 900 })
    const manner = JSON.stringify({ language, theme, calendar: 'gregory', digits: 'latn' })
    await page.evaluate(`localStorage.setItem('org.letro.manner', ${JSON.stringify(manner)})`)
    const second = await root.newPage()
    await second.setViewportSize({ width, height: 900 })
    await second.goto(`${clinic.world.server.base}/#/admin/updates`)
    if (width > 500) await inside(second)
    await second.locator('.settings-rows li').first().waitFor()
    await second.evaluate('document.fonts.ready.then(() => undefined)')
    await second.screenshot({ path: join(pictures, `admin-updates-${name}.png`), fullPage: true })
    t.deepEqual(await violations(second), [])
    await second.close()
  })
}
