/** What rings while nobody looks: pushes as the service worker shows them, and a device that says whether it rings. */
import { createECDH, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { until } from '../support/until.ts'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, finish, inside, pictures } from './app.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open({ 'push.hosts': 'push.example' })
})
test.after.always(() => world?.close())

test.serial(
  'a push is shown where no open page would say it: locked, or closed; and is over when somebody looks',
  async t => {
    const visitor = await world.enrolled('amal', 'Amal Nasser')
    const { page, cdp } = visitor
    await visitor.context.grantPermissions(['notifications'], { origin: world.server.base })
    const push = await pusher(visitor)
    await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
    await page.reload()
    await unlocked(page)

    await push({ rooms: 1, lang: 'en' })
    await page.evaluate(`location.hash = '#/settings/privacy'`)
    await page.getByRole('button', { name: 'Lock now' }).click()
    await page.getByRole('heading', { name: 'Letro is locked' }).waitFor()
    t.deepEqual(await shown(page), [], 'the page was inside and in sight')

    await until(async () => !(await holds(page, 'org.letro.inside')))
    await push({ rooms: 2, lang: 'en' })
    await until(async () => (await shown(page)).length > 0)
    t.deepEqual(await shown(page), ['Something new in 2 rooms'])
    await unlocked(page)
    await until(async () => (await shown(page)).length === 0)

    await page.goto('about:blank')
    await push({ rooms: 3, lang: 'ar' })
    await page.goto(`${world.server.base}/manifest.webmanifest`)
    await until(async () => (await shown(page)).length > 0)
    t.regex((await shown(page))[0]!, /3|٣/)
    await cdp.send('ServiceWorker.disable')
    await visitor.close()
  },
)

test.serial('a device says that it rings only while the server knows of it', async t => {
  const visitor = await world.visitor()
  const { page } = visitor
  await visitor.context.grantPermissions(['notifications'], { origin: world.server.base })
  await visitor.context.addInitScript(browserWithPush())
  await page.goto(await world.invite('jonas', 'Jonas Weber'))
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  await page.locator('.enter-foot button').click()
  await finish(page)
  await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
  const toggle = page.getByRole('switch', { name: 'Wake this device' })
  const open = async () => {
    await page.evaluate(`location.hash = '#/settings/notifications'`)
    await toggle.waitFor()
  }
  await open()
  t.false(await toggle.isChecked())
  await toggle.click()
  await page.getByText('This device rings while Letro is closed').waitFor()
  t.deepEqual(await looked(page, 'push-on'), [])
  await page.evaluate(`location.hash = '#/'`)
  await open()
  t.true(await toggle.isChecked())

  await page.evaluate(`location.hash = '#/settings/sign-out'`)
  await page
    .getByRole('button', { name: /^Sign out/ })
    .last()
    .click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor()
  await until(async () => (await page.evaluate(`localStorage.getItem('test.push')`)) === null)
  // Even where the browser kept it.
  await page.evaluate(`localStorage.setItem('test.push', '1')`)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  const last = page.locator('[data-stage=last-step] .enter-acts button').last()
  await last.or(page.locator('nav.list')).first().waitFor()
  if (await last.isVisible()) await finish(page)
  await inside(page)
  await open()
  t.false(await toggle.isChecked())
  await toggle.click()
  await page.getByText('This device rings while Letro is closed').waitFor()
  t.true(await toggle.isChecked())
  await visitor.close()
})

/** Sends what a push service would bring. */
async function pusher({ cdp }: Visitor): Promise<(payload: object) => Promise<void>> {
  const registered = new Promise<string>(resolve => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      for (const { registrationId, scopeURL } of registrations)
        if (scopeURL.startsWith(world.server.base)) resolve(registrationId)
    })
  })
  await cdp.send('ServiceWorker.enable')
  const registrationId = await registered
  return async payload => {
    const data = JSON.stringify(payload)
    await cdp.send('ServiceWorker.deliverPushMessage', { origin: world.server.base, registrationId, data })
  }
}

/** The page has told the browser that somebody is inside. */
function holds(page: Page, lock: string): Promise<boolean> {
  return page.evaluate(
    `navigator.locks.query().then(({ held }) => held.some(({ name }) => name === ${JSON.stringify(lock)}))`,
  )
}

function shown(page: Page): Promise<string[]> {
  return page.evaluate(
    `navigator.serviceWorker.getRegistration('/').then(it => it.getNotifications()).then(all => all.map(({ body }) => body))`,
  )
}

async function unlocked(page: Page): Promise<void> {
  const unlock = page.getByRole('button', { name: 'Unlock with passkey' })
  await unlock.or(page.locator('nav.list')).first().waitFor()
  if (await unlock.isVisible()) await unlock.click()
  await inside(page)
}

/** Chromium without its maker's push service, with one that remembers whether it was subscribed to. */
function browserWithPush(): string {
  const keys = createECDH('prime256v1').generateKeys('base64url')
  const auth = randomBytes(16).toString('base64url')
  return `{
    const subscription = {
      endpoint: 'https://push.example/of-this-browser',
      toJSON: () => ({ endpoint: subscription.endpoint, keys: { p256dh: '${keys}', auth: '${auth}' } }),
      unsubscribe: async () => { localStorage.removeItem('test.push'); return true },
    }
    PushManager.prototype.getSubscription = async () => localStorage.getItem('test.push') ? subscription : null
    PushManager.prototype.subscribe = async () => { localStorage.setItem('test.push', '1'); return subscription }
  }`
}
