/** Somebody lost everything and began anew: nothing leaves to them before whoever writes has decided that it is them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Locator } from 'playwright-core'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, finish, pictures } from './app.ts'
import { field, line, write } from './conversation.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld
let amal: Visitor
let before: Visitor
let after: Visitor

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  amal = await world.enrolled('amal', 'Amal Nasser')
  before = await world.enrolled('jonas', 'Jonas Weber')
})
test.after.always(() => world?.close())
test.afterEach.always(async t => {
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'identity-change-failed-amal.png') })
  await after?.page.screenshot({ path: join(pictures, 'identity-change-failed-jonas.png') })
})

test.serial('they know each other', async t => {
  await amal.page.goto(`${world.server.base}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  await field(amal.page).waitFor()
  await write(amal.page, 'The letter is ready.')
  await before.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await before.page.getByRole('button', { name: 'Accept' }).click()
  await line(before.page, 'The letter is ready.').waitFor()
  t.pass()
})

test.serial('a new identity: what is written waits, and says for whom', async t => {
  after = await world.visitor()
  await after.page.goto(await world.inviteAgain('jonas'))
  await after.page.getByRole('button', { name: 'Create passkey' }).click()
  await after.page.getByRole('button', { name: 'I have none of these' }).click()
  await after.page.getByRole('button', { name: 'Make a new identity' }).click()
  await after.page.getByRole('button', { name: 'Later' }).click()
  await finish(after.page)
  await before.page.getByRole('heading', { name: 'This device was signed out' }).waitFor()

  await amal.page.getByText(/Jonas Weber.? has a new identity/).waitFor()
  await write(amal.page, 'For nobody but Jonas.')
  await decision()
    .getByText(/Is this still .?Jonas Weber/)
    .waitFor()
  await line(amal.page, 'For nobody but Jonas.').getByText('Waits for your decision').waitFor()
  t.deepEqual(await looked(amal.page, 'identity-change'), [])
  await after.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await field(after.page).waitFor()
  // As long as it takes a message that leaves, several times over.
  await after.page.waitForTimeout(3000)
  t.is(await line(after.page, 'For nobody but Jonas.').count(), 0)
})

test.serial('once it is accepted it leaves, once, and is read', async t => {
  await decision().getByRole('button', { name: 'Accept without comparing' }).click()
  await line(after.page, 'For nobody but Jonas.').waitFor()
  t.is(await line(after.page, 'For nobody but Jonas.').count(), 1)
  await write(after.page, 'It is me.')
  await line(amal.page, 'It is me.').waitFor()
  t.is(await decision().count(), 0)
})

/** Where she writes; the side pane asks the same. */
function decision(): Locator {
  return amal.page.getByRole('region', { name: 'Nothing leaves this room before you decide.' })
}
