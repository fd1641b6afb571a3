/** A screen as people see it: wide, dark, on a phone, in Arabic. Pictures of each to look at, and what axe finds. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { pictures } from './app.ts'
import { violations } from './axe.ts'

const manners = [
  { manner: 'light', width: 1280, colorScheme: 'light', language: 'en' },
  { manner: 'dark', width: 1280, colorScheme: 'dark', language: 'en' },
  { manner: 'phone', width: 390, colorScheme: 'light', language: 'en' },
  { manner: 'phone-dark', width: 390, colorScheme: 'dark', language: 'en' },
  { manner: 'arabic', width: 1280, colorScheme: 'light', language: 'ar' },
  { manner: 'arabic-phone', width: 390, colorScheme: 'light', language: 'ar' },
] as const
/** Colours and names are found in these; the others differ in their widths alone. */
const checked: ReadonlySet<string> = new Set(['light', 'dark', 'arabic-phone'])

/** It is as it was when this resolves. */
export async function looked(page: Page, name: string): Promise<string[]> {
  const found: string[] = []
  for (const { manner, width, colorScheme, language } of manners) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 844 })
    await draws(page)
    await speak(page, language)
    if (width < 700) await showRoom(page)
    // What moves comes to rest.
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(pictures, `${name}-${manner}.png`) })
    if (checked.has(manner))
      found.push(...(await violations(page)).map(each => `${name}, ${manner}: ${each}`))
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1280, height: 800 })
  await speak(page, 'en')
  const readers = page.locator('.head-words')
  const isPlain = (await readers.isVisible()) && !(await page.locator('dialog[open]').isVisible())
  if (isPlain && !(await page.locator('aside.side').isVisible())) await readers.click()
  return found
}

/**
 * On a busy machine a Chromium without a GPU has been seen (once in many runs) to draw nothing more after a change of size: the
 * page goes on, but no frame, click or picture comes. A screencast asks its compositor for a frame.
 */
async function draws(page: Page): Promise<void> {
  const frame = page.evaluate('new Promise(resolve => requestAnimationFrame(() => resolve(true)))')
  if (await Promise.race([frame, setTimeout(10_000, false, { ref: false })])) return
  console.log('no frame for 10 s: asked for one')
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Page.startScreencast', { format: 'jpeg', quality: 10 })
  if (!(await Promise.race([frame, setTimeout(30_000, false, { ref: false })])))
    throw new Error('the page draws nothing any more, a screencast or not')
  await cdp.send('Page.stopScreencast')
  await cdp.detach()
}

/** As if another tab had changed the language. */
async function speak(page: Page, language: 'en' | 'ar'): Promise<void> {
  await page.evaluate(
    `localStorage.setItem('org.letro.manner', '{"language":"${language}","theme":"system"}');
     dispatchEvent(new StorageEvent('storage', { key: 'org.letro.manner' }))`,
  )
  await page.locator(`html[lang=${language}]`).waitFor()
}

/** On a phone, who can read lies over the room. */
async function showRoom(page: Page): Promise<void> {
  const close = page.locator('aside.side .trust-bar .icon-button').last()
  const isCovered = await page.locator('dialog[open]').isVisible()
  if (!isCovered && (await close.isVisible())) await close.click()
}
