/** A bad day: what does not come, what is refused, what is damaged. Each is said where it is met, with a way on; no page is blank. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { AppWorld, inside, pictures } from './app.ts'
import { violations } from './axe.ts'
import { openFronted } from './fronted.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial(
  'what is typed right after Ctrl+K stands in the line, and Enter chooses when there is what to choose',
  async t => {
    const visitor = await world.enrolled('amal', 'Amal Nasser')
    const { page } = visitor
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    await page.route(/\/assets\/switcher-list-/, async route => {
      await held
      await route.continue()
    })
    await page.keyboard.press('Control+k')
    await page.keyboard.type('settings')
    t.is(await page.locator('.switcher input').inputValue(), 'settings')
    t.is(await page.locator('.switcher-choice').count(), 0)
    t.deepEqual(await looked(page, 'switcher-loading'), [])
    await page.keyboard.press('Enter')
    letGo()
    await page.waitForURL(/#\/settings/)
    await page.locator('.switcher').waitFor({ state: 'detached' })
    await visitor.close()
  },
)

test.serial('a browser in which nothing may be stored says so, and its page is not blank', async t => {
  const visitor = await world.visitor()
  const refused = 'get() { throw new DOMException("refused", "SecurityError") }'
  await visitor.page.addInitScript(`
    Object.defineProperty(globalThis, 'localStorage', { ${refused} })
    Object.defineProperty(globalThis, 'indexedDB', { ${refused} })`)
  await visitor.page.goto(world.server.base)
  await visitor.page.getByRole('heading', { name: 'Letro cannot run here' }).waitFor()
  t.regex((await visitor.page.locator('.enter-lead').textContent())!, /IndexedDB/)
  await visitor.page.locator('select').selectOption('de')
  await visitor.page.getByText('Dieser Browser lässt Letro nichts speichern').waitFor()
  await visitor.close()
})

for (const [what, asked] of [
  ['the words', /\/assets\/en-[\w-]+\.js/],
  ['the app itself', /\/assets\/index-[\w-]+\.js/],
] as const) {
  test.serial(`${what} cannot be had: the page says so by itself`, async t => {
    const visitor = await world.visitor()
    const { page } = visitor
    await page.route(asked, route => route.fulfill({ status: 500, body: 'out of order' }))
    await page.goto(world.server.base)
    await page.getByText('Letro is being opened. If this stays, load the page again').waitFor()
    t.deepEqual(await violations(page), [])
    await page.screenshot({ path: join(pictures, 'opening-light.png') })
    await page.unroute(asked)
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in to Letro' }).waitFor()
    t.is(await page.locator('.opening').count(), 0)
    await visitor.close()
  })
}

test.serial('a worker that does not come is said, and comes when it is tried again', async t => {
  const { front, own } = await openFronted(t)
  const visitor = await own.visitor()
  const { page } = visitor
  await page.goto(await own.invite('vera', 'Vera Lang'))
  await page.getByRole('button', { name: 'Create passkey' }).waitFor()
  const worker = await page.evaluate<string>(
    `performance.getEntriesByType('resource').length && fetch('/service-worker.js').then(file => file.text())
      .then(text => /assets\\/shared-worker-[\\w-]+\\.js/.exec(text)[0])`,
  )
  // What a portal of a hotel, or a half-made release, answers in its place.
  front.changes.set(`/${worker}`, () => Buffer.from('<!doctype html><title>Welcome to our network</title>'))
  await page.getByRole('button', { name: 'Create passkey' }).click()
  await page.getByText('A part of Letro did not come from the server').waitFor()
  t.deepEqual(await looked(page, 'worker-failed'), [])
  front.changes.clear()
  // The link is used up: signing in goes on from there.
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.locator('.enter-key').waitFor()
  await visitor.close()
})

test.serial('a damaged store says so, and is given up by a person’s yes alone', async t => {
  const visitor = await world.enrolled('rima', 'Rima Aziz')
  const { page } = visitor
  await page.evaluate(`location.hash = '#/settings/privacy'`)
  await page.getByRole('button', { name: 'Lock now' }).click()
  await page.getByRole('heading', { name: 'Letro is locked' }).waitFor()
  await page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('org.letro.vault @rima:localhost')
    opening.onerror = reject
    opening.onsuccess = () => {
      const database = opening.result
      const writing = database.transaction('header', 'readwrite')
      writing.objectStore('header').put({ version: 1, wraps: [] }, 'header')
      writing.oncomplete = () => { database.close(); resolve() }
    }
  })`)
  await page.reload()
  await page.getByText('What is stored in this browser is damaged').waitFor()
  t.deepEqual(await looked(page, 'damaged'), [])
  await page.getByRole('button', { name: 'I have lost everything' }).click()
  await page.getByRole('button', { name: 'Remove everything from this device' }).click()
  await page.getByRole('button', { name: 'Yes, remove it' }).click()
  await page.getByRole('heading', { name: 'Sign in to Letro' }).waitFor()
  await visitor.close()
})

test.serial(
  'somebody else’s invitation leaves the account that is here as it is, and stays good',
  async t => {
    const visitor = await world.enrolled('omar', 'Omar Said')
    const { page } = visitor
    const link = await world.invite('lena', 'Lena Vogt')
    await page.goto(link)
    await page.getByRole('heading', { name: 'Somebody else’s account is here' }).waitFor()
    t.deepEqual(await looked(page, 'occupied'), [])
    await page.getByRole('button', { name: 'Go on with this account' }).click()
    await unlocked(page)
    const other = await world.visitor()
    await other.page.goto(link)
    await other.page.getByRole('heading', { name: /Welcome, .Lena Vogt/ }).waitFor()
    await other.close()
    await visitor.close()
  },
)

async function unlocked(page: Page): Promise<void> {
  const unlock = page.getByRole('button', { name: 'Unlock with passkey' })
  await unlock.or(page.locator('nav.list')).first().waitFor()
  if (await unlock.isVisible()) await unlock.click()
  await inside(page)
}
