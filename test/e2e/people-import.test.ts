/** A list of thousands of people by the app: how far it is, that it cannot be left meanwhile, that it counts once, who is missing in it. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { Download } from 'playwright-core'
import type { Visitor } from '../support/visitor.ts'
import { Clinic, goTo, idOf, inPath } from './administered-clinic.ts'

let clinic: Clinic
let root: Visitor
test.before(async () => {
  clinic = await Clinic.open()
  root = await clinic.world.enrolled('root', 'Rana Haddad', { kind: 'administrator', sharesWorker: false })
})
test.after.always(async () => {
  await clinic?.close()
})

/** Three batches (accounts/roster.ts): it says how far it is after each. */
const people = 12_000
const list = [
  'username,name,kind',
  ...Array.from({ length: people }, (_, i) => `person-${i},Person ${i},member`),
  '',
].join('\n')

const dialog = () => root.page.locator('dialog[open]')
const figure = (name: string) =>
  dialog().locator('.admin-figures > div').filter({ hasText: name }).locator('dd').innerText()
async function choose(text: string) {
  await root.page.getByRole('button', { name: 'Import a list' }).click()
  await dialog()
    .getByLabel('CSV file')
    .setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await dialog().locator('.admin-figures').waitFor()
}
/** What it would change, as the list is compared. */
async function figures(t: ExecutionContext, expected: Readonly<Record<string, string>>) {
  for (const [name, count] of Object.entries(expected)) t.is(await figure(name), count, name)
}
const linesOf = async (file: Download) =>
  readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\r\n')

test.serial('a long list says how far it is, and cannot be left before its links are there', async t => {
  t.timeout(300_000)
  const { page } = root
  await goTo(root, 'people')
  await choose(list)
  await figures(t, { New: '12,000', Problems: '0', 'Not in the list': '0' })
  // It goes on for as long as somebody needs to try everything.
  const tried = Promise.withResolvers<void>()
  await page.route('**/people/import', async route => {
    const isApplied = route.request().postData()?.includes('"apply":true') === true
    const response = await route.fetch({ timeout: 240_000 })
    // Not the answer that asks for the passkey.
    if (isApplied && response.ok()) await tried.promise
    await route.fulfill({ response })
  })
  await dialog().getByRole('button', { name: 'Do it' }).click()
  await dialog().getByText('lines are done').waitFor()
  // As it is isolated from the words around it.
  const said = (await dialog().locator('.admin-progress [role=status]').innerText()).replaceAll(
    /[\u2068\u2069]/g,
    '',
  )
  t.regex(said, /^(?:0|5,000|10,000) of 12,000 lines are done/)
  t.true(await dialog().getByRole('progressbar').isVisible())
  t.true(await dialog().getByRole('button', { name: 'Cancel' }).isDisabled())
  t.true(await dialog().getByLabel('CSV file').isDisabled(), 'what is being done is no other list meanwhile')
  t.is(await dialog().getByRole('button', { name: 'Close' }).count(), 0)
  // A browser lets a page refuse to be closed once, not twice.
  for (let i = 0; i < 4; i++) await page.keyboard.press('Escape')
  await dialog().getByText('lines are done').waitFor()
  tried.resolve()

  const save = dialog().getByRole('button', { name: 'Save the links' })
  await save.waitFor({ timeout: 240_000 })
  await dialog().getByText('12,000').waitFor()
  for (let i = 0; i < 4; i++) await page.keyboard.press('Escape')
  await save.waitFor()
  t.is(await dialog().getByRole('button', { name: 'Done' }).count(), 0)
  const [file] = await Promise.all([page.waitForEvent('download'), save.click()])
  const lines = await linesOf(file)
  t.is(lines.length, people + 1)
  t.regex(lines[people]!, /^"@person-11999:localhost","http.+\/enrol#enrol_[\w-]+",/)
  t.is(new Set(lines).size, people + 1)
  await dialog().getByRole('button', { name: 'Done' }).click()
  await dialog().waitFor({ state: 'detached' })
})

test.serial('the same list once more has nothing to do', async t => {
  await choose(list)
  await figures(t, { New: '0', Changed: '0', 'Invited already': '12,000', 'Not in the list': '0' })
  t.true(await dialog().getByRole('button', { name: 'Do it' }).isDisabled())
  await dialog().getByRole('button', { name: 'Cancel' }).click()
  await dialog().waitFor({ state: 'detached' })
})

test.serial('of thousands of open links a few are shown, and one is found by its name', async t => {
  const { page } = root
  const shown = page.locator('.admin-links li')
  await page.getByText('Open links').click()
  await shown.first().waitFor()
  t.is(await shown.count(), 50)
  await page.getByLabel('Name or address').fill('person-11999')
  await page.locator('.admin-links').getByText('@person-11999:localhost').waitFor()
  t.is(await shown.count(), 1)
  await page.getByLabel('Name or address').fill('')
})

test.serial('who is here and not in the list is named, and locked only where that is said', async t => {
  await clinic.member('leaver', 'Lea Verne')
  const isLocked = async () => (await clinic.ask('GET', `/people/${inPath(idOf('leaver'))}`)).body.locked
  await choose(list)
  await figures(t, { New: '0', 'Not in the list': '1' })
  await dialog().getByText('@leaver:localhost').waitFor()
  t.true(await dialog().getByRole('button', { name: 'Do it' }).isDisabled(), 'naming them changes nothing')
  t.false(await isLocked())
  await dialog().getByRole('switch').last().click()
  await dialog().getByRole('button', { name: 'Do it' }).click()
  await dialog().getByText('The list was imported').waitFor({ timeout: 120_000 })
  t.true(await isLocked())
  t.is(await dialog().getByRole('button', { name: 'Save the links' }).count(), 0, 'nobody got a new link')
  await dialog().getByRole('button', { name: 'Done' }).click()
})
