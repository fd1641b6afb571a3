/**
 * Every view inside the app, in the world of the demonstration: axe finds nothing, nothing complains, each as a picture.
 *
 * Pictures go to dist/pictures, which is not tracked: they are to be looked at.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import test from 'ava'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { launchChromium } from '../support/visitor.ts'
import { build, inside, patienceMs, pictures } from './app.ts'
import { type InsideWorld, openInsideWorld } from './inside.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** How the app is looked at, and what axe looks for there: colours in the dark, everything else once a direction and width. */
const manners = [
  { name: 'light', language: 'en', theme: 'light', width: 1280, height: 800, rules: wcag },
  { name: 'dark', language: 'en', theme: 'dark', width: 1280, height: 800, rules: ['color-contrast'] },
  { name: 'phone', language: 'de', theme: 'light', width: 390, height: 780, rules: wcag },
  { name: 'arabic', language: 'ar', theme: 'light', width: 1280, height: 800, rules: wcag },
  { name: 'wide', language: 'fr', theme: 'light', width: 1720, height: 960, rules: [] },
] as const

/** Where a third column or long lines make a difference. */
const inWide = new Set(['start', 'room', 'thread', 'search', 'person', 'settings-devices', 'help-article'])

let world: InsideWorld
let browser: Browser
let context: BrowserContext
/** The first tab, and the one that is looked at. */
let holder: Page
let page: Page
const complaints: string[] = []

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  build()
  world = await openInsideWorld()
  browser = await launchChromium()
  context = await browser.newContext({ reducedMotion: 'reduce' })
  context.setDefaultTimeout(patienceMs)
  // The worker lives as long as one tab does: the vault stays open while another one is loaded anew.
  holder = await context.newPage()
  page = await context.newPage()
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
})
test.after.always(async () => {
  await browser?.close()
  for (const device of world?.devices.values() ?? []) await device.calls.lock(null)
  await world?.server.remove()
})

test.serial(
  'by keyboard alone: signed in, a room found, a message written that another device reads',
  async t => {
    await holder.goto(world.addressOf('jonas'))
    await holder.getByRole('button', { name: 'Jonas Weber' }).waitFor()
    await tabTo(holder.getByRole('button', { name: 'Jonas Weber' }))
    await holder.keyboard.press('Enter')
    const last = holder.getByRole('button', { name: 'Open Letro' })
    await last.or(holder.locator('nav.list')).first().waitFor()
    if (await last.isVisible()) {
      await tabTo(last)
      await holder.keyboard.press('Enter')
    }
    await inside(holder)
    await holder.keyboard.press('Control+k')
    await holder.locator('.switcher').waitFor()
    await holder.keyboard.type('Ward 4')
    await holder.keyboard.press('Enter')
    await holder.locator('.room-head').getByText('Ward 4').waitFor()
    await holder.getByRole('textbox', { name: /Write to/ }).waitFor()
    await tabTo(holder.getByRole('textbox', { name: /Write to/ }))
    await holder.keyboard.type('Written without a mouse.')
    await holder.keyboard.press('Enter')
    await holder.locator('main').getByText('Written without a mouse.').waitFor()
    await holder.screenshot({ path: join(pictures, 'keyboard.png') })
    t.true(await world.reads('claire', 'Written without a mouse.'))
    // Now that a new device reads along: what is searched for below.
    await world.write()
  },
)

for (const { name, language, theme, width, height, rules } of manners) {
  test.serial(`every view is in order: ${name}`, async t => {
    await page.setViewportSize({ width, height })
    await page.goto(world.addressOf('jonas'))
    await page.evaluate(manner => localStorage.setItem('org.letro.manner', JSON.stringify(manner)), {
      language,
      theme,
      calendar: 'gregory',
      digits: 'latn',
    })
    await page.reload()
    await inside(page)
    const found: string[] = []
    for (const view of world.views) {
      if (name === 'wide' && !inWide.has(view.name)) continue
      // What was open is closed; the address alone leads to the next.
      await page.keyboard.press('Escape')
      await page.evaluate(hash => {
        location.hash = hash
      }, view.hash)
      await settled(page)
      await view.open?.(page)
      await settled(page)
      await page.screenshot({ path: join(pictures, `${view.name}-${name}.png`) })
      const here = rules.length > 0 ? await violations(page, rules) : []
      found.push(...[...here, ...complaints.splice(0)].map(each => `${view.name}: ${each}`))
    }
    t.deepEqual(found, [])
  })
}

/** As a person does who has no mouse: on to the next place, until it is the one. */
async function tabTo(place: Locator): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await place.evaluate(element => element === document.activeElement)) return
    await place.page().keyboard.press('Tab')
  }
  throw new Error(`no press of Tab leads to ${place}`)
}

/** What was loading is here; what waits for another person stays a skeleton. */
async function settled(page: Page): Promise<void> {
  await page
    .locator('.skeleton')
    .first()
    .waitFor({ state: 'detached', timeout: 5_000 })
    .catch(() => {})
  await page.evaluate(() => document.fonts.ready.then(() => undefined))
}

async function violations(page: Page, rules: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  return page.evaluate(async runOnly => {
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself there
    const found = await (globalThis as any).axe.run({ runOnly })
    return found.violations.map(
      (each: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
        `${each.id}: ${each.nodes
          .slice(0, 3)
          .map(node => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 240)}`)
          .join(' | ')}`,
    )
  }, rules)
}
