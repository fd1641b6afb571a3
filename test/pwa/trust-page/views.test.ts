/** Every view of settings, trust and help in a real browser, under the app's policies. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../support/visitor.ts'
import { type FixturePage, serveFixturePage } from './serve.ts'
import { addressOf, type View, views } from './views.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let fixture: FixturePage
let browser: Browser

test.before(async () => {
  fixture = await serveFixturePage()
  browser = await launchChromium()
})
test.after.always(async () => {
  await browser?.close()
  await fixture?.close()
})

interface Opened {
  readonly page: Page
  readonly complaints: string[]
}

async function open(viewport = { width: 1280, height: 800 }): Promise<Opened> {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return { page, complaints }
}

async function show(page: Page, view: View, more: string): Promise<void> {
  await page.goto(`${fixture.url}${addressOf(view, more)}`)
  await page.locator('body[data-ready]').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
}

/** What the view asked of the worker. */
function asked(page: Page): Promise<{ name: string; argument: unknown }[]> {
  return page.evaluate(
    () => (globalThis as unknown as { asked: { name: string; argument: unknown }[] }).asked,
  )
}

const viewNamed = (name: string) => views.find(view => view.name === name)!

const wcag = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const manners = [
  { more: 'theme=light', runOnly: wcag },
  { more: 'theme=dark', runOnly: ['color-contrast'] },
  { more: 'theme=light&language=ar', runOnly: wcag },
]
for (const { more, runOnly } of manners) {
  test.serial(`axe finds nothing in any view, nor do the page’s policies (${more})`, async t => {
    const { page, complaints } = await open()
    for (const view of views) {
      await show(page, view, more)
      await page.evaluate(axe)
      const violations = await page.evaluate(async runOnly => {
        // biome-ignore lint/suspicious/noExplicitAny: axe puts itself there
        const found = await (globalThis as any).axe.run({
          runOnly,
          // The fixture shows one view without the shell, which brings the landmarks and the first heading.
          rules: {
            region: { enabled: false },
            'page-has-heading-one': { enabled: false },
            'heading-order': { enabled: false },
          },
        })
        return found.violations.map(
          (each: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
            `${each.id}: ${each.nodes
              .slice(0, 3)
              .map(node => `${node.html.slice(0, 200)} ${node.failureSummary}`)
              .join(' | ')}`,
        )
      }, runOnly)
      t.deepEqual(violations, [], view.name)
      t.deepEqual(complaints, [], view.name)
    }
    await page.context().close()
  })
}

test.serial('no view is wider than a phone, whatever names people give themselves', async t => {
  const { page } = await open({ width: 320, height: 640 })
  for (const language of ['de', 'ar']) {
    for (const view of views) {
      await show(page, view, `language=${language}`)
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('main, main *')]
          .filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
          .filter(each => !/hidden|auto|scroll|clip/.test(getComputedStyle(each).overflowX))
          .filter(each => getComputedStyle(each).display !== 'inline')
          .map(each => `${each.tagName} ${each.className} ${each.scrollWidth} > ${each.clientWidth}`),
      )
      t.deepEqual(wide, [], `${view.name} ${language}`)
    }
  }
  await page.context().close()
})

test.serial('a verification is carried out by keyboard alone', async t => {
  const { page } = await open()
  await show(page, viewNamed('verification-pictures'), 'language=en')
  await page.getByRole('heading', { name: 'Do both devices show the same?' }).waitFor()
  await page.getByText('Dog').waitFor()
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab')
    if (
      await page
        .getByRole('button', { name: 'They are the same' })
        .evaluate(el => el === document.activeElement)
    )
      break
  }
  await page.keyboard.press('Enter')
  t.true((await asked(page)).some(({ name }) => name === 'confirmSas'))
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  t.true(
    (await asked(page)).some(({ name }) => name === 'cancelVerification'),
    'closing ends what goes on',
  )
  await page.context().close()
})

test.serial('a changed identity is accepted only by a person’s act', async t => {
  const { page } = await open()
  await show(page, viewNamed('person-mira'), 'language=en')
  const accepted = async () => (await asked(page)).filter(({ name }) => name === 'acceptIdentity')
  await page.getByText('Is this still').waitFor()
  t.deepEqual(await accepted(), [])
  await page.getByRole('button', { name: 'Accept without comparing' }).click()
  t.is((await accepted()).length, 1)
  await page.context().close()
})

test.serial('no recovery key is made where the passkey that is to open it does not answer', async t => {
  const { page } = await open()
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  // It knows none of the person's passkeys.
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasUserVerification: true, isUserVerified: true },
  })
  await show(page, viewNamed('settings-recovery'), 'language=de')
  await page.getByRole('button', { name: 'Neuen Wiederherstellungsschlüssel erzeugen' }).click()
  await page.locator('.notice').getByRole('button').click()
  await page.getByRole('alert').waitFor()
  t.false((await asked(page)).some(({ name }) => name === 'newRecoveryKey'))
  await page.context().close()
})

test.serial('a typed group tells whether the recovery key is still there', async t => {
  const { page } = await open()
  await show(page, viewNamed('settings-recovery'), 'language=en')
  await page.getByRole('button', { name: 'Do I still have it?' }).click()
  const group = page.getByLabel(/^Group/)
  await group.fill('abcd')
  await page.getByRole('button', { name: 'Do I still have it?' }).click()
  await page.getByText('That is not what stands there').waitFor()
  await group.fill('EsTa')
  await page.getByRole('button', { name: 'Do I still have it?' }).click()
  await page.getByText('You have it.').waitFor()
  const [first] = (await asked(page)).filter(({ name }) => name === 'checkRecoveryKey')
  t.like(first?.argument, { text: 'abcd' })
  await page.context().close()
})
