/** Everything before the rooms, in a real browser against the real server: first device, lock, further device, what is lost. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { AppWorld, inside, pictures } from './app.ts'

const test = anyTest as TestFn<{ world: AppWorld }>
let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial('an invitation becomes a passkey, a recovery key that is typed back, and the rooms', async t => {
  const visitor = await world.visitor()
  const { page } = visitor
  await page.goto(await world.invite('amal', 'Amal Nasser'))
  await page.getByRole('heading', { name: /Welcome, .Amal Nasser/ }).waitFor()
  t.is(new URL(page.url()).hash, '', 'the secret leaves the address bar')
  await picture(page, 'enter-invitation')
  await page.getByRole('button', { name: 'Create passkey' }).click()
  await page.getByRole('heading', { name: 'Your recovery key' }).waitFor()
  await picture(page, 'enter-recovery')
  const groups = await page.locator('.recovery-key li').allTextContents()
  t.is(groups.length, 12)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  const label = await page.locator('.enter form label').first().textContent()
  const group = Number(/\d+/.exec(label!)![0])
  await page.locator('.enter form input').fill('none')
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText('That group is another one').waitFor()
  await page.locator('.enter form input').fill(groups[group - 1]!)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { name: 'You are in' }).waitFor()
  await picture(page, 'enter-last')
  await page.getByRole('button', { name: 'Confirm with passkey' }).click()
  await inside(page)
  await picture(page, 'enter-inside')
  t.deepEqual(visitor.complaints, [])
  await visitor.close()
})

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}
