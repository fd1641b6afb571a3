/** Two organisations in one room: two servers that pinned each other, and people of both at the app. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { type FederatedServer, pinSite, startFederated } from '../support/federated.ts'
import { launchChromium, type Visitor } from '../support/visitor.ts'
import { AppWorld, pictures } from './app.ts'
import { violations } from './axe.ts'
import { field, line, write } from './conversation.ts'

const test = anyTest as TestFn
let chromium: Browser
let clinicServer: FederatedServer
let ministryServer: FederatedServer
let clinic: AppWorld
let ministry: AppWorld
let amal: Visitor
let claire: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  chromium = await launchChromium()
  const settings = { 'accounts.registration': 'invite' }
  clinicServer = await startFederated('clinic.example', { 'server.name': 'clinic.example', ...settings })
  ministryServer = await startFederated('ministry.example', {
    'server.name': 'ministry.example',
    ...settings,
  })
  await pinSite(clinicServer, ministryServer)
  await pinSite(ministryServer, clinicServer)
  clinic = AppWorld.federated(clinicServer, chromium)
  ministry = AppWorld.federated(ministryServer, chromium)
  amal = await clinic.enrolled('amal', 'Amal Nasser')
  claire = await ministry.enrolled('claire', 'Claire Roux')
})
test.after.always(async () => {
  await chromium?.close()
  for (const server of [clinicServer, ministryServer]) await server?.process.remove()
})
test.afterEach.always(async t => {
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'two-failed-amal.png') })
  await claire.page.screenshot({ path: join(pictures, 'two-failed-claire.png') })
})

/** As people see it: wide, dark, on a phone, in Arabic. */
async function looked(page: Page, name: string): Promise<string[]> {
  const found: string[] = []
  const manners = [
    ['light', 1280, 'light'],
    ['dark', 1280, 'dark'],
    ['phone', 390, 'light'],
    ['phone-dark', 390, 'dark'],
  ] as const
  for (const [manner, width, colorScheme] of manners) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 844 })
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(pictures, `two-${name}-${manner}.png`) })
    if (manner !== 'phone-dark') found.push(...(await violations(page)).map(each => `${manner}: ${each}`))
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1280, height: 800 })
  return found
}

test.serial(
  'a room with somebody of another organisation: found by full id, said whose they are',
  async t => {
    const { page } = amal
    await page.evaluate(`location.hash = '#/new/room'`)
    await page.locator('.page-body input').first().fill('Winter supplies')
    await page.locator('.picker input').fill('@claire:ministry.example')
    await page.locator('.picker-list button').first().waitFor()
    t.deepEqual(await looked(page, 'new-room'), [])
    await page.locator('.picker-list button').first().click()
    await page.getByRole('button', { name: 'Create room' }).click()
    await field(page).waitFor()
    await write(page, 'The list for **January** is ready.')
    await page.locator('li.message .margin.sent, li.message .margin.read').first().waitFor()
    t.deepEqual(await looked(page, 'invited'), [])
  },
)

test.serial('the invitation says from whom and from which organisation', async t => {
  const { page } = claire
  await page.locator('nav.list').getByText('Winter supplies').first().click()
  await page.getByRole('button', { name: 'Accept' }).waitFor()
  t.deepEqual(await looked(page, 'invitation'), [])
  await page.getByRole('button', { name: 'Accept' }).click()
  await line(page, 'for January').waitFor()
  await write(page, 'Thank you, I have it.')
  await line(amal.page, 'I have it').waitFor()
  t.deepEqual(await looked(page, 'room-claire'), [])
  t.deepEqual(await looked(amal.page, 'room-amal'), [])
})
