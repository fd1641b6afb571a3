/** Everything before the rooms, in a real browser against the real server: first device, lock, further device, what is lost. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { Page } from 'playwright-core'
import { AppWorld, finish, inside, pictures } from './app.ts'
import { violations } from './axe.ts'
import { readShownCode } from './shown-code.ts'

const test = anyTest as TestFn<{ world: AppWorld }>
let world: AppWorld

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial('an invitation becomes a passkey, a recovery key that is typed back, and the rooms', async t => {
  const visitor = await world.visitor()
  const { page } = visitor
  await page.goto(await world.invite('amal', 'Amal Nasser'))
  await page.getByRole('heading', { name: /Welcome, .Amal Nasser/ }).waitFor()
  t.is(new URL(page.url()).hash, '', 'the secret leaves the address bar')
  await picture(page, 'enter-invitation')
  await page.getByRole('button', { name: 'Create passkey' }).click()
  await page.getByRole('heading', { name: 'Your recovery key' }).waitFor()
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-recovery')
  const groups = await page.locator('.enter-key li').allTextContents()
  t.is(groups.length, 12)
  await page.getByRole('button', { name: 'I have kept it' }).click()
  const label = await page.locator('.enter form label').first().textContent()
  const group = Number(/\d+/.exec(label!)![0])
  await page.locator('.enter form input').fill('none')
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText('That group is another one').waitFor()
  await page.locator('.enter form input').fill(groups[group - 1]!)
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('heading', { name: 'You are in' }).waitFor()
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-last')
  await page.getByRole('button', { name: 'Confirm with passkey' }).click()
  await inside(page)
  await picture(page, 'enter-inside')
  t.deepEqual(visitor.complaints, [])
  await visitor.close()
})

test.serial(
  'what is locked opens with the passkey or the recovery key, without the server as well',
  async t => {
    const { visitor, recoveryKey } = await enrolledWithKey('huda', 'Huda Saleh')
    const { page } = visitor
    await controlled(page)
    await world.server.stop()
    await page.reload()
    await page.getByRole('heading', { name: 'Letro is locked' }).waitFor()
    t.deepEqual(await violations(page), [])
    await picture(page, 'enter-locked')
    await page.getByRole('button', { name: 'Unlock with passkey' }).click()
    await inside(page)
    await page.reload()
    await page.getByRole('button', { name: 'Use the recovery key' }).click()
    const field = page.getByLabel('Recovery key')
    await field.fill(recoveryKey.replace(/.$/, last => (last === 'a' ? 'b' : 'a')))
    await page.getByRole('button', { name: 'Unlock', exact: true }).click()
    await page.getByText('This is not a recovery key').first().waitFor()
    await field.fill(recoveryKey)
    await page.getByRole('button', { name: 'Unlock', exact: true }).click()
    await inside(page)
    await world.server.start()
    await visitor.close()
    t.pass()
  },
)

test.serial('a second tab is inside at once, and what one locks is locked in both', async t => {
  const visitor = await world.enrolled('sami', 'Sami Haddad')
  const second = await visitor.newPage()
  await second.goto(world.server.base)
  await inside(second)
  await second.goto(`${world.server.base}/#/settings/privacy`)
  await second.getByRole('button', { name: 'Lock now' }).click()
  for (const page of [visitor.page, second])
    await page.getByRole('heading', { name: 'Letro is locked' }).waitFor()
  await visitor.page.getByRole('button', { name: 'Unlock with passkey' }).click()
  await inside(visitor.page)
  await inside(second)
  await visitor.close()
  t.pass()
})

test.serial(
  'a passkey without PRF: a passphrase seals this device, the recovery key brings in another',
  async t => {
    const visitor = await world.visitor({ prf: false })
    const { page } = visitor
    await page.goto(await world.invite('lena', 'Lena Vogt'))
    await page.getByRole('button', { name: 'Create passkey' }).click()
    await page.getByRole('heading', { name: 'A passphrase for this device' }).waitFor()
    t.deepEqual(await violations(page), [])
    await picture(page, 'enter-passphrase')
    await page.getByLabel('Passphrase', { exact: true }).fill('short')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByText('It needs at least').waitFor()
    await page.getByLabel('Passphrase', { exact: true }).fill('amber tide fork nine')
    await page.getByLabel('Passphrase, once more').fill('amber tide fork nine')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByRole('heading', { name: 'Your recovery key' }).waitFor()
    const recoveryKey = (await page.locator('.enter-key li').allTextContents()).join(' ')
    await page.getByRole('button', { name: 'Later' }).click()
    await finish(page)
    await page.reload()
    await page.getByLabel('Passphrase').fill('amber tide fork nine')
    await page.getByRole('button', { name: 'Unlock', exact: true }).click()
    await inside(page)

    // The same passkey at another browser, as a password manager brings it.
    const other = await world.visitor({ prf: false })
    await other.addCredentials(await visitor.credentials())
    await other.page.goto(world.server.base)
    await other.page.getByRole('switch').check()
    t.deepEqual(await violations(other.page), [])
    await picture(other.page, 'enter-start')
    await other.page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await other.page.getByRole('heading', { name: 'Let this device in' }).waitFor()
    t.deepEqual(await violations(other.page), [])
    await picture(other.page, 'enter-open-identity')
    await other.page.getByLabel('Recovery key').fill('EsUE tfEG')
    await other.page.getByRole('button', { name: 'Unlock' }).click()
    await other.page.getByText('This is not a recovery key').first().waitFor()
    await other.page.getByLabel('Recovery key').fill(recoveryKey)
    await other.page.getByRole('button', { name: 'Unlock' }).click()
    await finish(other.page)
    // A shared computer: nothing is left of it.
    t.deepEqual(await databases(other.page), [])
    await other.page.reload()
    await other.page.getByRole('heading', { name: 'Sign in to Letro' }).waitFor()
    await other.close()
    await visitor.close()
  },
)

test.serial(
  'a new device comes in by the code that the first one shows, and both trust each other',
  async t => {
    const first = await world.enrolled('omar', 'Omar Aziz')
    await first.page.goto(`${world.server.base}/#/settings/devices`)
    await first.page.getByRole('button', { name: 'Link a new device' }).click()
    const url = await readShownCode(first.page)
    const phone = await world.visitor({ context: { viewport: { width: 390, height: 844 }, hasTouch: true } })
    // As with the camera: the link is typed or read at the start.
    await phone.page.goto(world.server.base)
    await phone.page.getByLabel('Link or code').fill(url)
    await phone.page.getByRole('button', { name: 'Next' }).click()
    await phone.page.getByRole('heading', { name: 'Add this device' }).waitFor()
    t.deepEqual(await violations(phone.page), [])
    await picture(phone.page, 'enter-link-phone')
    await phone.page.getByRole('button', { name: 'Add this device' }).click()
    await phone.page.getByRole('heading', { name: 'You are in' }).waitFor()
    await first.page.getByText('The new device is linked').waitFor()
    await picture(phone.page, 'enter-last-phone')
    await phone.page.getByText('This phone will not ring while Letro is closed').waitFor()
    await phone.page.getByRole('button', { name: 'Confirm with passkey' }).click()
    await inside(phone.page)
    t.deepEqual(phone.complaints, [])

    await phone.page.reload()
    await phone.page.getByRole('button', { name: 'Unlock with passkey' }).click()
    await inside(phone.page)
    await phone.close()
    await first.close()
  },
)

test.serial(
  'when everything is lost a new invitation ends what was, and the old device is wiped',
  async t => {
    const old = await world.enrolled('nadia', 'Nadia Karam')
    const link = await world.inviteAgain('nadia')
    const fresh = await world.visitor({ context: { viewport: { width: 390, height: 844 } } })
    await fresh.page.goto(link)
    await fresh.page.getByText('all your earlier passkeys stop working').waitFor()
    t.deepEqual(await violations(fresh.page), [])
    await picture(fresh.page, 'enter-again-phone')
    await fresh.page.getByRole('button', { name: 'Create passkey' }).click()
    await old.page.getByRole('heading', { name: 'This device was signed out' }).waitFor()
    t.deepEqual(await databases(old.page), [])
    await picture(old.page, 'enter-revoked')
    await old.page.getByRole('button', { name: 'Start again' }).click()
    await old.page.getByRole('button', { name: 'I have lost everything' }).click()
    await old.page.getByRole('heading', { name: 'If everything is lost' }).waitFor()
    t.deepEqual(await violations(old.page), [])
    await picture(old.page, 'enter-lost')

    // Nothing opens the identity any more: a new one, with a yes.
    await fresh.page.getByRole('heading', { name: 'Let this device in' }).waitFor()
    await fresh.page.getByRole('button', { name: 'I have none of these' }).click()
    await fresh.page.getByRole('button', { name: 'Make a new identity' }).click()
    await fresh.page.getByRole('heading', { name: 'Your recovery key' }).waitFor()
    await picture(fresh.page, 'enter-recovery-phone')
    await fresh.page.getByRole('button', { name: 'Later' }).click()
    await finish(fresh.page)
    await fresh.close()
    await old.close()
  },
)

test.serial('a link that was used says so, and so does one of another server', async t => {
  const visitor = await world.visitor()
  const link = await world.invite('ruth', 'Ruth Berg')
  const first = await world.visitor()
  await first.page.goto(link)
  await first.page.getByRole('button', { name: 'Create passkey' }).click()
  await first.page.getByRole('heading', { name: 'Your recovery key' }).waitFor()
  await first.close()
  await visitor.page.goto(link)
  await visitor.page.getByText('This link is not known, or was used already').first().waitFor()
  t.deepEqual(await violations(visitor.page), [])
  await picture(visitor.page, 'enter-used-link')
  await visitor.page.getByRole('button', { name: 'To sign-in' }).click()
  await visitor.page.getByLabel('Link or code').fill('https://elsewhere.example/enrol#enrol_0123456789')
  await visitor.page.getByRole('button', { name: 'Next' }).click()
  await visitor.page.getByText('This is no link or code of this server').waitFor()
  await visitor.close()
})

test.serial('a browser that lacks something says what', async t => {
  for (const [script, words] of [
    ['delete globalThis.WebAssembly', 'WebAssembly switched off'],
    ['Object.defineProperty(globalThis, "indexedDB", { get() { throw new Error("refused") } })', 'IndexedDB'],
    ['delete globalThis.Worker', 'does not run workers'],
    ['Object.defineProperty(navigator, "locks", { value: undefined })', 'too old for Letro'],
    ['delete Uint8Array.prototype.toBase64', 'too old for Letro'],
  ] as const) {
    const visitor = await world.visitor()
    await visitor.page.addInitScript(script)
    await visitor.page.goto(world.server.base)
    await visitor.page.getByRole('heading', { name: 'Letro cannot run here' }).waitFor()
    t.regex((await visitor.page.locator('.enter-lead').textContent())!, new RegExp(words))
    await visitor.close()
  }
})

test.serial('on an iPhone the app is installed first, and the code goes along', async t => {
  const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/605.1.15'
  const viewport = { width: 390, height: 844 }
  const visitor = await world.visitor({ context: { userAgent, viewport, colorScheme: 'dark' } })
  const { page } = visitor
  const link = await world.invite('ines', 'Ines Roux')
  await page.goto(link)
  await page.getByRole('heading', { name: 'Install Letro first' }).waitFor()
  t.is(await page.locator('.enter-code code').textContent(), new URL(link).hash.slice(1))
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-install-dark-phone')
  // In the installed app the code is typed or pasted.
  const installed = await world.visitor({ context: { viewport, colorScheme: 'dark' } })
  await installed.page.goto(world.server.base)
  await installed.page.getByLabel('Link or code').fill(new URL(link).hash.slice(1))
  await picture(installed.page, 'enter-start-dark-phone')
  t.deepEqual(await violations(installed.page), [])
  await installed.page.getByRole('button', { name: 'Next' }).click()
  await installed.page.getByRole('heading', { name: /Welcome, .Ines Roux/ }).waitFor()
  await picture(installed.page, 'enter-invitation-dark-phone')
  t.deepEqual(await violations(installed.page), [])
  await installed.close()
  await visitor.close()
})

test.serial('in Arabic and by keyboard alone', async t => {
  const visitor = await world.visitor({ locale: 'ar' })
  const { page } = visitor
  await page.goto(await world.invite('salma', 'سلمى حداد'))
  await page.locator('form button[type=submit]').waitFor()
  t.is(await page.getAttribute('html', 'dir'), 'rtl')
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-invitation-ar')
  await page.locator('.enter form input').first().focus()
  await page.keyboard.press('Enter')
  await page.locator('.enter-key').waitFor()
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-recovery-ar')
  await tabTo(page, '.enter-foot button')
  await page.keyboard.press('Enter')
  await page.locator('.enter-other').waitFor()
  t.deepEqual(await violations(page), [])
  await picture(page, 'enter-last-ar')
  await tabTo(page, '.enter-acts .main')
  await page.keyboard.press('Enter')
  await inside(page)
  t.deepEqual(visitor.complaints, [])
  await visitor.close()
})

/** Enrolled, with the recovery key that was shown. */
async function enrolledWithKey(name: string, displayName: string) {
  const visitor = await world.visitor()
  await visitor.page.goto(await world.invite(name, displayName))
  await visitor.page.getByRole('button', { name: 'Create passkey' }).click()
  await visitor.page.locator('.enter-key').waitFor()
  const recoveryKey = (await visitor.page.locator('.enter-key li').allTextContents()).join(' ')
  await visitor.page.getByRole('button', { name: 'Later' }).click()
  await finish(visitor.page)
  return { visitor, recoveryKey }
}

/** The service worker has everything, and this page is its. */
async function controlled(page: Page): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready.then(() => {})')
}

/** What is left of anybody: a page that starts tries for a moment whether there is a database to be had at all. */
function databases(page: Page): Promise<string[]> {
  return page.evaluate(
    "indexedDB.databases().then(all => all.map(({ name }) => name).filter(name => name !== 'org.letro.probe'))",
  )
}

async function tabTo(page: Page, selector: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${selector}`)
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}
