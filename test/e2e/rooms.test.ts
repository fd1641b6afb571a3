/** The frame of the app by keyboard alone, and every page of it held against WCAG 2.2 AA. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Page } from 'playwright-core'
import { until } from '../support/until.ts'
import { AppWorld, pictures } from './app.ts'
import { violations } from './axe.ts'

let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial(
  'by keyboard alone: a room is made, somebody is invited and accepts, and what is unread is found',
  async t => {
    const amal = await world.enrolled('amal', 'Amal Nasser')
    const jonas = await world.enrolled('jonas', 'Jonas Weber')

    await amal.page.keyboard.press('Control+k')
    await amal.page.getByRole('combobox', { name: 'Find a room, a person, a word' }).waitFor()
    await amal.page.keyboard.type('new space')
    await amal.page.keyboard.press('Enter')
    await amal.page.getByRole('heading', { name: 'New space' }).waitFor()
    await tabTo(amal.page, 'Name')
    await amal.page.keyboard.type('Clinic')
    await tabTo(amal.page, 'Create space')
    await amal.page.keyboard.press('Enter')
    await amal.page.getByRole('heading', { name: 'Clinic', level: 1 }).waitFor()
    await amal.page.getByText('No room belongs to this space yet.').waitFor()
    await tabTo(amal.page, 'New room in this space')
    await amal.page.keyboard.press('Enter')
    await tabTo(amal.page, 'Name')
    await amal.page.keyboard.type('Night shift')
    await tabTo(amal.page, 'Find a person')
    await amal.page.keyboard.type('jonas')
    await amal.page.locator('.picker-list button').first().waitFor()
    await amal.page.keyboard.press('Tab')
    await amal.page.keyboard.press('Enter')
    await amal.page.getByText(/2. people: only they can read this/).waitFor()
    await tabTo(amal.page, 'Create room')
    await amal.page.keyboard.press('Enter')
    await amal.page.locator('#room-title', { hasText: 'Night shift' }).waitFor()
    const section = amal.page.locator('section.section', {
      has: amal.page.getByRole('button', { name: 'Clinic' }),
    })
    await section.locator('a.room', { hasText: 'Night shift' }).waitFor()

    await jonas.page.locator('a.room', { hasText: 'Invited by' }).waitFor()
    await titled(jonas.page, /^\(1\) /)
    await jonas.page.keyboard.press('Control+k')
    await jonas.page.getByRole('combobox', { name: 'Find a room, a person, a word' }).waitFor()
    await jonas.page.keyboard.type('nig')
    await jonas.page.getByRole('option', { name: /Night shift/ }).waitFor()
    await jonas.page.keyboard.press('Enter')
    await jonas.page.getByText('@amal:localhost').waitFor()
    t.deepEqual(await violations(jonas.page), [])
    await jonas.page.screenshot({ path: join(pictures, 'rooms-invitation.png') })
    await tabTo(jonas.page, 'Accept')
    await jonas.page.keyboard.press('Enter')
    const composer = jonas.page.getByRole('textbox').last()
    await composer.waitFor()
    await amal.page.keyboard.press('Escape')
    await amal.page.goto(`${world.server.base}/#/`)
    await composer.fill('Who takes the night?')
    await composer.press('Enter')

    await titled(amal.page, /^• Letro/)
    await amal.page.getByText(/1. room with something new/).waitFor()
    await amal.page.keyboard.press('Alt+ArrowDown')
    await amal.page.locator('#room-title', { hasText: 'Night shift' }).waitFor()
    await titled(amal.page, /^Night shift/)
    await amal.page.locator('a.room', { hasText: 'Jonas Weber: Who takes the night?' }).waitFor()
    t.deepEqual(amal.complaints, [])
    t.deepEqual(jonas.complaints, [])
    await amal.close()
    await jonas.close()
  },
)

test.serial(
  'every page of the frame meets WCAG 2.2 AA: wide in light, as a phone in Arabic and dark',
  async t => {
    const wide = await world.enrolled('layla', 'Layla Haddad')
    const phone = await world.enrolled('basma', 'بسمة', {
      locale: 'ar',
      context: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
    })
    for (const [name, { page }] of Object.entries({ wide, phone })) {
      for (const [view, hash] of Object.entries({
        start: '#/',
        message: '#/new/message',
        room: '#/new/room',
        space: '#/new/space',
        join: '#/new/join',
        share: '#/new/share',
        search: '#/search',
      })) {
        await page.goto(`${world.server.base}/${hash}`)
        await page.locator(view === 'start' ? 'nav.list .empty' : '.page-body').waitFor()
        t.deepEqual(await violations(page), [], `${view}, ${name}`)
        await page.screenshot({ path: join(pictures, `rooms-${view}-${name}.png`) })
        const overflow = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        t.is(overflow, 0, `${view}, ${name}: nothing is wider than the window`)
      }
      await page.keyboard.press('Control+k')
      await page.locator('.switcher input').fill(name === 'wide' ? 'set' : 'ال')
      await page.locator('.switcher-choice').first().waitFor()
      t.deepEqual(await violations(page), [], `switcher, ${name}`)
      await page.screenshot({ path: join(pictures, `rooms-switcher-${name}.png`) })
      await page.keyboard.press('Escape')
      await page.locator('.switcher').waitFor({ state: 'detached' })
    }
    await wide.close()
    await phone.close()
  },
)

/** As somebody does who has no mouse: Tab until it has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const focused = (await page.evaluate(
      `(e => e.labels?.[0]?.textContent ?? e.getAttribute('aria-label') ?? e.textContent)(document.activeElement)`,
    )) as string
    if (focused.trim().startsWith(name)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab never came to ${name}`)
}

async function titled(page: Page, title: RegExp): Promise<void> {
  await until(async () => title.test(await page.title()), 50).catch(async () => {
    throw new Error(`the title is “${await page.title()}”`)
  })
}
