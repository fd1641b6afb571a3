/** What people seldom see: the session ran out, nobody was there, another release, reminders, an update, what others share, what calls back. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { until } from '../support/until.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, inside, pictures } from './app.ts'
import { violations } from './axe.ts'
import { field } from './conversation.ts'
import { openFronted } from './fronted.ts'

const test = anyTest as TestFn
const dayMs = 86_400_000
let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

/** As a person sees it in each manner: wide, dark, as a phone, in Arabic. */
async function looked(page: Page, name: string): Promise<string[]> {
  const found = await violations(page)
  const manners = [
    ['light', 1280, 'light'],
    ['dark', 1280, 'dark'],
    ['phone', 390, 'light'],
    ['phone-dark', 390, 'dark'],
  ] as const
  for (const [manner, width, colorScheme] of manners) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    await page.screenshot({ path: join(pictures, `seldom-${name}-${manner}.png`) })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  found.push(...(await violations(page)))
  await page.setViewportSize({ width: 1280, height: 800 })
  return found
}

const unlock = (page: Page) => page.getByRole('button', { name: 'Unlock with passkey' })

test.serial('a session that ran out keeps everything, is read on, and goes on with the passkey', async t => {
  const visitor = await world.visitor({ sharesWorker: false })
  const { page } = visitor
  await page.goto(await world.invite('nadia', 'Nadia Karam'))
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  await page.locator('.enter-foot button').click()
  await page.locator('[data-stage=last-step] .enter-acts button').last().click()
  await inside(page)
  const body = { errcode: 'M_UNKNOWN_TOKEN', error: 'The access token has expired.', soft_logout: true }
  const isOver = (url: URL) => /\/(sync|refresh)$/.test(url.pathname)
  await visitor.context.route(isOver, route => route.fulfill({ status: 401, json: body }))
  await page.getByText('Your session has run out').first().waitFor()
  t.deepEqual(await looked(page, 'expired'), [])
  const readOn = page.getByRole('button', { name: 'Read without signing in' })
  if (await readOn.isVisible()) {
    await readOn.click()
    await inside(page)
    t.deepEqual(await looked(page, 'expired-inside'), [])
  }
  await visitor.context.unroute(isOver)
  await page.getByRole('button', { name: 'Sign in' }).first().click()
  await page.getByText('Your session has run out').first().waitFor({ state: 'detached' })
  await inside(page)
  await visitor.close()
})

test.serial(
  'what nobody touches for as long as was chosen is locked, and a touch does not prevent it',
  async t => {
    const visitor = await world.enrolled('omar', 'Omar Said')
    const { page } = visitor
    await page.evaluate(`localStorage.setItem('org.letro.preferences', '{"lockAfterMinutes":5}')`)
    await page.clock.install()
    await page.reload()
    await unlock(page).or(page.locator('nav.list')).first().waitFor()
    if (await unlock(page).isVisible()) await unlock(page).click()
    await inside(page)
    await page.clock.fastForward(4 * 60_000)
    await page.keyboard.press('Shift')
    await page.clock.fastForward(4 * 60_000)
    await inside(page)
    await page.clock.fastForward(2 * 60_000)
    await unlock(page).waitFor()
    t.deepEqual(await looked(page, 'locked'), [])
    await visitor.close()
  },
)

test.serial('another release that is open is said, and this one goes on when it is closed', async t => {
  const visitor = await world.enrolled('rima', 'Rima Aziz')
  const other = await visitor.newPage()
  await other.goto(`${world.server.base}/manifest.webmanifest`)
  await visitor.page.goto('about:blank')
  // The older release's worker lives while one of its tabs does.
  await other.evaluate(
    `new Promise(held => navigator.locks.request('org.letro.owner @rima:localhost', () => { held(); return new Promise(() => {}) }))`,
  )
  const { page } = visitor
  await page.goto(world.server.base)
  await page.getByRole('heading', { name: 'Another version of Letro is open' }).waitFor()
  t.deepEqual(await looked(page, 'waiting'), [])
  await other.close()
  await unlock(page).click()
  await inside(page)
  await visitor.close()
})

test.serial(
  'after thirty days it asks for a part of the recovery key; before, whether it was kept at all',
  async t => {
    const visitor = await world.visitor()
    const { page } = visitor
    // Thirty days in which nobody touches it would lock it.
    await page.addInitScript(`localStorage.setItem('org.letro.preferences', '{"lockAfterMinutes":0}')`)
    await page.goto(await world.invite('salma', 'Salma Haddad'))
    await page.getByRole('button', { name: 'Create passkey' }).click()
    await page.locator('.enter-key').waitFor()
    const groups = await page.locator('.enter-key li').allTextContents()
    await page.getByRole('button', { name: 'I have kept it' }).click()
    const asked = async () => {
      const label = await page.locator('form label', { hasText: /\d/ }).first().textContent()
      return groups[Number(/\d+/.exec(label!)![0]) - 1]!
    }
    await page.locator('.enter form input').fill(await asked())
    await page.getByRole('button', { name: 'Done' }).click()
    await page.locator('[data-stage=last-step] .enter-acts button').last().click()
    await inside(page)
    t.is(await page.getByText('Do you still have your recovery key').count(), 0)

    await page.clock.setSystemTime(Date.now() + 31 * dayMs)
    await page.evaluate(`location.hash = '#/settings/'`)
    await page.evaluate(`location.hash = '#/'`)
    await page.getByText('Do you still have your recovery key').waitFor()
    t.deepEqual(await looked(page, 'reminder'), [])
    const field = page.locator('.start form input')
    await field.fill('none')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('That group is another one').waitFor()
    await field.fill(await asked())
    await page.getByRole('button', { name: 'Done' }).click()
    // The worker, whose clock a test cannot set, has noted today.
    await page.getByText('Right: you still have it.').waitFor()
    await page.clock.setSystemTime(Date.now())
    await page.evaluate(`location.hash = '#/settings/'`)
    await page.evaluate(`location.hash = '#/'`)
    await page.locator('.start-keys').waitFor()
    await page.getByText('Do you still have your recovery key').waitFor({ state: 'detached' })
    await visitor.close()

    const never = await world.enrolled('tarek', 'Tarek Saleh')
    await never.page.locator('.start .notice').waitFor()
    t.deepEqual(await looked(never.page, 'reminder-never'), [])
    await never.close()
  },
)

test.serial('a new release waits while somebody writes, and takes over when they say so', async t => {
  const { front, own } = await openFronted(t)
  const { page } = await own.enrolled('vera', 'Vera Lang')
  await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
  await page.reload()
  await unlock(page).or(page.locator('nav.list')).first().waitFor()
  if (await unlock(page).isVisible()) await unlock(page).click()
  await inside(page)
  await page.waitForFunction('navigator.serviceWorker.controller !== null')
  front.changes.set('/service-worker.js', file => Buffer.concat([file, Buffer.from('\n// newer\n')]))
  await page.evaluate(`location.hash = '#/search'`)
  const field = page.locator('.search-form input[type=search]')
  await field.fill('half a word')
  await page.evaluate('navigator.serviceWorker.getRegistration().then(each => each.update()).then(() => {})')
  await page.waitForFunction('navigator.serviceWorker.getRegistration().then(each => each.waiting !== null)')
  const prompt = page.getByText('A new version of Letro is ready')
  t.is(await prompt.count(), 0, 'not while somebody writes')
  await field.fill('')
  await prompt.waitFor()
  t.deepEqual(await looked(page, 'update'), [])
  const reloaded = page.waitForEvent('load')
  await page
    .getByRole('button', { name: 'Reload now' })
    .or(page.locator('.notice .button.main'))
    .first()
    .click()
  await reloaded
  await unlock(page).or(page.locator('nav.list')).first().waitFor()
  t.is(await prompt.count(), 0)
})

test.serial('what another app shares goes to the room that is chosen; a mention calls back', async t => {
  const amal = await world.enrolled('amal', 'Amal Nasser')
  const jonas = await world.visitor()
  await jonas.context.grantPermissions(['notifications'], { origin: world.server.base })
  await jonas.context.addInitScript(`
    globalThis.called = { badges: [] }
    navigator.setAppBadge = async count => void called.badges.push(count)
    navigator.clearAppBadge = async () => void called.badges.push(0)`)
  await jonas.page.goto(await world.invite('jonas', 'Jonas Weber'))
  await jonas.page.locator('button[type=submit].main').click()
  await jonas.page.locator('.enter-key').waitFor()
  await jonas.page.locator('.enter-foot button').click()
  await jonas.page.locator('[data-stage=last-step] .enter-acts button').last().click()
  await inside(jonas.page)

  await amal.page.goto(`${world.server.base}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  const composer = field(amal.page)
  await composer.waitFor()
  await jonas.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await field(jonas.page).waitFor()
  await jonas.page.evaluate(`location.hash = '#/help/'`)
  await composer.pressSequentially('Please sign, @jon')
  await amal.page.getByRole('option', { name: /Jonas/ }).waitFor()
  await composer.press('Enter')
  await composer.press('Enter')
  const said = () =>
    jonas.page.evaluate<string[]>(`navigator.serviceWorker.ready.then(it => it.getNotifications())
      .then(all => all.map(({ title, body }) => title + " / " + body))`)
  await until(async () => (await said()).length > 0)
  t.deepEqual(await said(), ['Amal Nasser / Amal Nasser: Please sign, Jonas Weber'])
  await until(async () => (await jonas.page.evaluate('called.badges.at(-1)')) === 1)
  t.regex(await jonas.page.title(), /^\(1\) /)
  // Chosen, it leads to the message, as the service worker says; what was read calls nobody any more.
  await jonas.page.evaluate(`navigator.serviceWorker.ready.then(it => it.getNotifications()).then(([{ data }]) =>
    navigator.serviceWorker.dispatchEvent(
      new MessageEvent('message', { data: { kind: 'open', address: data.address } })))`)
  await jonas.page.locator('li.message', { hasText: 'Please sign' }).waitFor()
  await until(async () => (await jonas.page.evaluate('called.badges.at(-1)')) === 0)
  await until(async () => (await said()).length === 0)

  const { page } = amal
  await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
  await page.reload()
  await page.waitForFunction('navigator.serviceWorker.controller !== null')
  await page.evaluate(`(() => {
    const form = new FormData()
    form.append('title', 'Duty roster')
    form.append('text', 'See the list')
    form.append('files', new File(['bed 12'], 'roster.txt', { type: 'text/plain' }))
    return fetch('/share', { method: 'POST', body: form, redirect: 'manual' }).then(() => {})
  })()`)
  await page.goto(`${world.server.base}/#/new/share`)
  await page.reload()
  await unlock(page).or(page.locator('.page-body')).first().waitFor()
  if (await unlock(page).isVisible()) await unlock(page).click()
  await page.getByText('roster.txt').waitFor()
  t.is(await page.locator('.labelled textarea').inputValue(), 'Duty roster\nSee the list')
  await page.locator('.picker-list button', { hasText: 'Jonas' }).first().click()
  t.deepEqual(await looked(page, 'share'), [])
  await page
    .getByRole('button', { name: /^Send to/ })
    .or(page.locator('.form-acts .button.main'))
    .first()
    .click()
  await jonas.page.locator('li.message', { hasText: 'roster.txt' }).waitFor()
  await jonas.page.locator('li.message', { hasText: 'See the list' }).waitFor()
  for (const each of [amal, jonas] as Visitor[]) await each.close()
})
