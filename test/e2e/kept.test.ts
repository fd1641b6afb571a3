/** What a person arranged and began is there again after a reload, and nothing of it lies in the browser in the clear. */
import { mkdirSync } from 'node:fs'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { until } from '../support/until.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, inside, pictures } from './app.ts'
import { field, line, sent, write } from './conversation.ts'

const test = anyTest as TestFn
let world: AppWorld
let dina: Visitor
const text = 'half an answer in the thread'

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  dina = await world.enrolled('dina', 'Dina Khalil')
})
test.after.always(() => world?.close())

async function make(page: Page, kind: 'space' | 'room', name: string): Promise<void> {
  await page.evaluate(`location.hash = '#/new/${kind}'`)
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByRole('button', { name: kind === 'space' ? 'Create space' : 'Create room' }).click()
  await page.getByRole('heading', { name }).first().waitFor()
}

/** What is kept is sealed and written beside what the person does next. */
const keptAfterMs = 2_000

async function reloaded(page: Page): Promise<void> {
  await page.waitForTimeout(keptAfterMs)
  await page.reload()
  await page.getByRole('button', { name: 'Unlock with passkey' }).click()
  await inside(page)
}

test.serial('folded sections and the filter of the list stay as they were left', async t => {
  const { page } = dina
  await make(page, 'space', 'Clinic of Noor')
  await make(page, 'room', 'Pharmacy')
  const section = page.locator('button.section-head', { hasText: 'Other rooms' })
  await section.click()
  t.is(await section.getAttribute('aria-expanded'), 'false')
  const people = page.getByRole('button', { name: 'People', exact: true })
  await people.click()
  await reloaded(page)
  await people.and(page.locator('[aria-pressed=true]')).waitFor()
  await page.getByRole('button', { name: 'All', exact: true }).click()
  await section.waitFor()
  t.is(await section.getAttribute('aria-expanded'), 'false', 'the section')
  await section.click()
  await reloaded(page)
  await section.waitFor()
  t.is(await section.getAttribute('aria-expanded'), 'true')
  t.is(await people.getAttribute('aria-pressed'), 'false')
  const stored = String(await page.evaluate('JSON.stringify(Object.entries(localStorage))'))
  t.notRegex(stored, /![\w-]{10}|Noor|Pharmacy/, 'neither ids nor names')
})

test.serial('a thread keeps its draft as a room does, until it is sent', async t => {
  const { page } = dina
  await page.locator('a.room', { hasText: 'Pharmacy' }).click()
  await write(page, 'the root of it')
  await sent(page, 'the root of it')
  const root = line(page, 'the root of it')
  await root.hover()
  await root
    .getByRole('button', { name: /thread/i })
    .first()
    .click()
  const thread = page.locator('section.thread')
  await thread.locator('.composer-place:not([inert]) textarea').fill(text)
  await thread.getByRole('button', { name: 'Close the thread' }).click()
  t.is(await field(page).inputValue(), '', 'the room’s own line is another')
  const address = page.url()
  await reloaded(page)
  await page.goto(address)
  await line(page, 'the root of it').hover()
  await line(page, 'the root of it')
    .getByRole('button', { name: /thread/i })
    .first()
    .click()
  await until(async () => (await thread.locator('textarea').inputValue()) === text)
  await thread.locator('.composer-place:not([inert]) textarea').press('Enter')
  await thread.locator('li.message', { hasText: text }).waitFor()
  await reloaded(page)
  await thread.locator('.composer-place:not([inert]) textarea').waitFor()
  t.is(await thread.locator('textarea').inputValue(), '', 'what was sent is no draft any more')
})
