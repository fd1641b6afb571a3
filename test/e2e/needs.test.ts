/**
 * What people need whom the usual screen does not serve: colours of their own, twice the size, nothing that moves, another calendar
 * with other digits. Every main view of the app is looked at so; pictures go to dist/pictures.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../support/visitor.ts'
import { AppWorld, build, inside, patienceMs, pictures } from './app.ts'
import { violations } from './axe.ts'
import { type InsideView, type InsideWorld, openInsideWorld } from './inside.ts'

const test = anyTest as TestFn
let world: InsideWorld
let browser: Browser
let page: Page

const english = { language: 'en', theme: 'light', calendar: 'gregory', digits: 'latn' }
const hijri = { language: 'ar', theme: 'light', calendar: 'islamic-umalqura', digits: 'arab' }

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  build()
  world = await openInsideWorld()
  browser = await launchChromium()
  const context = await browser.newContext({
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 800 },
  })
  context.setDefaultTimeout(patienceMs)
  // The worker lives as long as one tab does: the vault stays open while another one is loaded anew.
  const holder = await context.newPage()
  await holder.goto(world.addressOf('jonas'))
  await holder.getByRole('button', { name: 'Jonas Weber' }).click()
  const last = holder.locator('[data-stage=last-step] .enter-acts button').last()
  await last.or(holder.locator('nav.list')).first().waitFor()
  if (await last.isVisible()) await last.click()
  await inside(holder)
  await world.write()
  page = await context.newPage()
})
test.after.always(async () => {
  await browser?.close()
  for (const device of world?.devices.values() ?? []) await device.calls.lock(null)
  await world?.server.remove()
})

async function opened(
  manner: object,
  { width = 1280, height = 800, forcedColors = 'none' as 'none' | 'active' } = {},
) {
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ forcedColors, reducedMotion: 'reduce' })
  await page.goto(world.addressOf('jonas'))
  const stored = JSON.stringify(JSON.stringify(manner))
  await page.evaluate(`localStorage.setItem('org.letro.manner', ${stored})`)
  await page.reload()
  await page.locator('nav.list').waitFor({ state: 'attached' })
}

async function walk(
  manner: string,
  views: readonly InsideView[],
  look: (view: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const found: string[] = []
  for (const view of views) {
    await page.keyboard.press('Escape')
    await page.evaluate(`location.hash = ${JSON.stringify(view.hash)}`)
    await settled(page)
    await view.open?.(page)
    await settled(page)
    await page.screenshot({ path: join(pictures, `${view.name}-${manner}.png`) })
    found.push(...(await look(view.name)).map(each => `${view.name}: ${each}`))
  }
  return found
}

async function settled(page: Page): Promise<void> {
  const skeleton = page.locator('.skeleton').first()
  await skeleton.waitFor({ state: 'detached', timeout: 5_000 }).catch(() => {})
  await page.evaluate('document.fonts.ready.then(() => {})')
}

/** What stands outside the window, though nothing can be scrolled to it; and what is wider than the window. What comes with the focus may. */
async function cutOff(page: Page): Promise<string[]> {
  return (await page.evaluate(`(() => {
    const found = []
    if (document.scrollingElement.scrollWidth > innerWidth + 1) found.push('the page is ' + document.scrollingElement.scrollWidth + ' wide')
    const scrolls = element => {
      for (let at = element.parentElement; at; at = at.parentElement)
        if (/auto|scroll/.test(getComputedStyle(at).overflow + getComputedStyle(at).overflowX)) return true
      return false
    }
    for (const element of document.querySelectorAll('button:not(.skip), a[href], input, textarea, select')) {
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
      const { left, right, top, bottom, width, height } = element.getBoundingClientRect()
      if (width < 2 || height < 2 || scrolls(element)) continue
      if (left < -1 || right > innerWidth + 1 || top < -1 || bottom > innerHeight + 1)
        found.push(element.tagName + ' ' + (element.getAttribute('aria-label') ?? element.textContent).trim().slice(0, 40) + ' is cut off')
    }
    return found
  })()`)) as string[]
}

const openDate = async (page: Page) => {
  await page.locator('.room-head .icon-button').last().click()
  await page.getByRole('menuitem', { name: /^(Go to a date|الانتقال إلى تاريخ)$/ }).click()
  await page.locator('dialog[open] table.days').waitFor()
}
const withDate = (): InsideView[] => {
  const { hash } = world.views.find(({ name }) => name === 'room')!
  return [...world.views, { name: 'go-to-date', hash, open: openDate }]
}
const chosen = (page: Page) => page.locator('td[aria-selected=true]').getAttribute('aria-label')
const focused = (page: Page) => page.locator('td[aria-selected=true]:focus')
const press = async (page: Page, ...keys: string[]) => {
  for (const key of keys) await page.keyboard.press(key)
}

test.serial('a day is chosen by keyboard alone, and the room goes there', async t => {
  await opened(english)
  const { hash } = world.views.find(({ name }) => name === 'room')!
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.locator('.pane .message').first().waitFor()
  await openDate(page)
  const named = (days: number, months = 0, years = 0) => {
    const day = new Date()
    const last = new Date(day.getFullYear() + years, day.getMonth() + months + 1, 0).getDate()
    const at = new Date(
      day.getFullYear() + years,
      day.getMonth() + months,
      Math.min(day.getDate(), last) + days,
    )
    return new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' }).format(at)
  }
  t.is(await chosen(page), named(0))
  await focused(page).waitFor()
  await press(page, 'ArrowRight')
  t.is(await chosen(page), named(0), 'nothing is in the future')
  await press(page, 'ArrowLeft')
  t.is(await chosen(page), named(-1))
  await press(page, 'ArrowUp', 'ArrowRight')
  t.is(await chosen(page), named(-7))
  await press(page, 'ArrowDown', 'PageUp')
  t.is(await chosen(page), named(0, -1))
  // As fast as keys can come: before anything is painted.
  await page.evaluate(`(async () => {
    for (const key of ['PageUp', 'PageUp', 'PageDown']) {
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
      await new Promise(done => setTimeout(done))
    }
  })()`)
  t.is(await chosen(page), named(0, -2))
  await press(page, 'PageDown', 'PageDown', 'Shift+PageUp')
  t.is(await chosen(page), named(0, 0, -1))
  await press(page, 'Home')
  t.regex((await chosen(page))!, /^Monday/)
  await press(page, 'End')
  t.regex((await chosen(page))!, /^Sunday/)
  await focused(page).waitFor()
  t.deepEqual(await violations(page), [])
  await press(page, 'Shift+PageDown', 'Enter')
  await page.locator('dialog[open]').waitFor({ state: 'detached' })
  await page.locator('.pane .message').first().waitFor()
})

test.serial('a Hijri calendar with Arabic-Indic digits, from right to left', async t => {
  await opened(hijri)
  const look = async () => [...(await cutOff(page)), ...(await latinDigits(page))]
  t.deepEqual(await walk('hijri', withDate(), look), [])
  t.deepEqual(await violations(page), [])
  const today = (await chosen(page))!
  t.regex(today, /[٠-٩]/)
  t.notRegex(today, /[0-9]/)
  const before = new Intl.DateTimeFormat('ar-u-ca-islamic-umalqura-nu-arab', { dateStyle: 'full' })
  t.is(today, before.format(Date.now()))
  await press(page, 'ArrowRight')
  t.is(await chosen(page), before.format(Date.now() - 86_400_000), 'to the right is what was')
  await press(page, 'Home')
  t.regex((await chosen(page))!, /^السبت/, 'a week begins on Saturday')
  await press(page, 'PageUp')
  await page.screenshot({ path: join(pictures, 'go-to-date-hijri-month.png') })
  await page.setViewportSize({ width: 390, height: 844 })
  await page.screenshot({ path: join(pictures, 'go-to-date-hijri-phone.png') })
})

test.serial('colours of their own: every view, and nothing is lost', async t => {
  await opened(english, { forcedColors: 'active' })
  t.deepEqual(await walk('forced', withDate(), () => cutOff(page)), [])
})

test.serial('twice the size: nothing is cut off, and nothing has to be scrolled sideways', async t => {
  await opened(english, { width: 640, height: 400 })
  t.deepEqual(await walk('zoom', withDate(), () => cutOff(page)), [])
})

test.serial('whoever wants nothing to move sees nothing move', async t => {
  await opened(english)
  const moving = async () =>
    (await page.evaluate(
      `document.getAnimations().filter(each => each.effect.getComputedTiming().duration > 20).map(each => String(each.animationName ?? each.transitionProperty) + ' of ' + each.effect.target.className)`,
    )) as string[]
  t.deepEqual(await walk('still', withDate(), moving), [])
})

test.serial('the way in and the administration as well', async t => {
  const app = await AppWorld.open()
  t.teardown(() => app.close())
  const found: string[] = []
  const visitor = await app.visitor()
  const { page } = visitor
  const looks = [
    { name: 'forced', forcedColors: 'active', width: 1280, height: 800 },
    { name: 'zoom', forcedColors: 'none', width: 640, height: 400 },
  ] as const
  const look = async (view: string, where = page) => {
    for (const { name, forcedColors, width, height } of looks) {
      await where.emulateMedia({ forcedColors, reducedMotion: 'reduce' })
      await where.setViewportSize({ width, height })
      await where.waitForTimeout(200)
      await where.screenshot({ path: join(pictures, `${view}-${name}.png`), scale: 'device' })
      found.push(...(await cutOff(where)).map(each => `${view} ${name}: ${each}`))
    }
  }
  await page.goto(app.server.base)
  await page.locator('.enter h1').waitFor()
  await look('enter')
  await page.goto(await app.invite('salwa', 'Salwa Nasr', 'administrator'))
  await page.locator('button[type=submit].main').waitFor()
  await look('enter-invitation')
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  await look('enter-recovery-key')
  await page.locator('.enter-foot button').click()
  await page.locator('[data-stage=last-step]').waitFor()
  await look('enter-last-step')
  await page.locator('[data-stage=last-step] .enter-acts button').last().click()
  await inside(page)
  await page.setViewportSize({ width: 1280, height: 800 })
  for (const name of ['', 'people', 'peers', 'certificates', 'backup', 'configuration', 'audit']) {
    await page.evaluate(`location.hash = '#/admin/${name}'`)
    await page.locator('.settings.admin').waitFor()
    await settled(page)
    await look(`admin-${name || 'list'}`)
  }
  t.deepEqual(found, [])
})

/** Of what we write; what people wrote, codes, keys and addresses keep theirs. */
async function latinDigits(page: Page): Promise<string[]> {
  return (await page.evaluate(`[...document.querySelectorAll('time, .day, .margin, .room-when, .count, .days td, .when')]
    .map(each => each.textContent.trim()).filter(text => /[0-9]/.test(text)).slice(0, 5).map(text => text + ' has Latin digits')`)) as string[]
}
