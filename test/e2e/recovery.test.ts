/** A new recovery key: what opened the keys before opens nothing any more, and passkeys are let in again by one gesture each. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Visitor } from '../support/visitor.ts'
import { AppWorld, finish, inside, pictures } from './app.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
let world: AppWorld
let nadia: Visitor
/** Of her laptop, and the one in her drawer. */
let laptop: string
let stick: string
let firstKey: string
let secondKey: string

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
  nadia = await world.visitor()
  laptop = nadia.authenticator
})
test.after.always(() => world?.close())
test.afterEach.always(async t => {
  if (!t.passed) await nadia.page.screenshot({ path: join(pictures, 'recovery-failed.png') })
})

test.serial('somebody enrols with one passkey, and adds another one', async t => {
  const { page } = nadia
  await page.goto(await world.invite('nadia', 'Nadia Karam'))
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  firstKey = (await page.locator('.enter-key li').allTextContents()).join(' ')
  await page.locator('.enter-foot button').click()
  await finish(page)

  stick = await nadia.addAuthenticator('usb', { prf: true })
  await take('laptop')
  await page.evaluate(`location.hash = '#/settings/passkeys'`)
  await page.getByLabel('Name of the passkey').fill('Stick in the drawer')
  // The laptop confirms; then it is put away, for it has a passkey of hers already.
  await page.exposeFunction('takeStick', () => take('stick'))
  await page.evaluate(`{
    const { credentials } = navigator
    const create = credentials.create.bind(credentials)
    credentials.create = async options => {
      await takeStick()
      return create(options)
    }
  }`)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByText('It also opens your keys on a new device').waitFor()
  t.is((await nadia.credentials(stick)).length, 1)
  t.is(await page.getByRole('button', { name: 'Let it open my keys' }).count(), 0)
})

test.serial(
  'a new recovery key: the passkey of that gesture goes on, the other one is let in again',
  async t => {
    const { page } = nadia
    await take('laptop')
    await page.evaluate(`location.hash = '#/settings/recovery'`)
    await page.getByRole('button', { name: 'Make a new recovery key' }).click()
    await page.getByText('Let the others do so again').waitFor()
    t.deepEqual(await looked(page, 'recovery-renewal'), [])
    await page.locator('.notice').getByRole('button', { name: 'Make a new recovery key' }).click()
    const shown = page.locator('dialog .recovery-key')
    await shown.waitFor()
    t.deepEqual(await looked(page, 'recovery-key'), [])
    secondKey = (await shown.textContent())!.trim()
    t.not(secondKey, firstKey)
    await page.getByRole('button', { name: 'I have it' }).click()

    await page.evaluate(`location.hash = '#/settings/passkeys'`)
    const stale = page.locator('.settings-rows > li', {
      has: page.getByText('It signs in, and does not open your keys'),
    })
    const inDrawer = 'Stick in the drawer'
    await stale.filter({ hasText: inDrawer }).waitFor()
    // The other one stands so as well until a sync brings what was just written.
    await stale.filter({ hasNotText: inDrawer }).waitFor({ state: 'detached' })
    t.is(await stale.count(), 1)
    t.deepEqual(await looked(page, 'recovery-stale-passkey'), [])
    await take('stick')
    await stale.getByRole('button', { name: 'Let it open my keys' }).click()
    await stale.waitFor({ state: 'detached' })
  },
)

for (const which of ['stick', 'laptop'] as const) {
  test.serial(`a new device is let in by one gesture with the ${which}`, async t => {
    const { page } = nadia
    await signOut()
    await take(which)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    const last = page.locator('[data-stage=last-step] .enter-acts button').last()
    const asks = page.getByRole('heading', { name: 'Let this device in' })
    await last.or(page.locator('nav.list')).or(asks).first().waitFor()
    t.false(await asks.isVisible(), 'nothing else is asked for')
    if (await last.isVisible()) await finish(page)
    await inside(page)
  })
}

test.serial('the old recovery key opens nothing any more, the new one does', async t => {
  const other = await world.visitor({ prf: false })
  await other.addCredentials(await nadia.credentials(laptop))
  const { page } = other
  await page.goto(world.server.base)
  await page.getByRole('switch').check()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('heading', { name: 'Let this device in' }).waitFor()
  await page.getByLabel('Recovery key').fill(firstKey)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.locator('.notice.bad').waitFor()
  t.regex((await page.locator('.notice.bad').textContent())!, /does not open/)
  await page.getByLabel('Recovery key').fill(secondKey)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await finish(page)
})

/** She has this one at hand, and the other one not. */
async function take(which: 'laptop' | 'stick'): Promise<void> {
  await nadia.setPresence(laptop, which === 'laptop')
  await nadia.setPresence(stick, which === 'stick')
}

async function signOut(): Promise<void> {
  const { page } = nadia
  await page.evaluate(`location.hash = '#/settings/sign-out'`)
  await page
    .getByRole('button', { name: /^Sign out/ })
    .last()
    .click()
  const again = page.getByRole('button', { name: 'Start again' })
  const start = page.getByRole('button', { name: 'Sign in with a passkey' })
  await again.or(start).first().waitFor()
  if (await again.isVisible()) await again.click()
  await start.waitFor()
}
