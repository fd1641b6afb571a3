/** Two people at work: they write, the server goes away and comes back, a browser is killed, a second tab is opened. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Page } from 'playwright-core'
import { launchKillable } from '../support/killable-chromium.ts'
import { AppWorld, finish, inside, patienceMs } from './app.ts'

let world: AppWorld

test.before(async () => {
  world = await AppWorld.open()
})
test.after.always(() => world?.close())

test.serial(
  'two people meet, write through a server that dies, and each message arrives once, in order',
  async t => {
    const amal = await world.enrolled('amal', 'Amal Nasser')
    const jonas = await world.enrolled('jonas', 'Jonas Weber')
    await createRoom(amal.page, 'Discharge letters', 'jonas')
    await joinFirst(jonas.page)
    await write(amal.page, 'The letter is ready')
    await shown(jonas.page, 'The letter is ready')
    await write(jonas.page, 'Received')
    await shown(amal.page, 'Received')

    await world.server.kill()
    await write(amal.page, 'first, without a server')
    await write(amal.page, 'second, without a server')
    await write(jonas.page, 'third, of somebody else')
    await amal.page.getByText('queued').first().waitFor()

    // Cold, with the server off: opens, unlocks, reads, searches, writes.
    await amal.page.reload()
    await unlock(amal.page)
    await amal.page.locator('a.room').first().click()
    await shown(amal.page, 'Received')
    await shown(amal.page, 'second, without a server')
    await amal.page.goto(`${world.server.base}/#/search`)
    await amal.page.getByRole('searchbox').first().fill('recei')
    await amal.page.locator('.search-list a').first().waitFor()
    await amal.page.locator('.search-list a').first().click()
    await shown(amal.page, 'Received')
    await write(amal.page, 'fourth, after a cold start')

    await world.server.start()
    for (const page of [amal.page, jonas.page]) {
      for (const text of ['first, without', 'second, without', 'third, of', 'fourth, after'])
        await shown(page, text)
    }
    await gone(amal.page, 'queued')
    const texts = await messages(jonas.page)
    for (const text of ['first, without', 'second, without', 'third, of', 'fourth, after']) {
      t.is(texts.filter(each => each.includes(text)).length, 1, text)
    }
    const places = ['first, without', 'second, without', 'fourth, after'].map(text =>
      texts.findIndex(each => each.includes(text)),
    )
    t.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    t.deepEqual(
      [...amal.complaints, ...jonas.complaints].filter(
        each => !/ERR_CONNECTION|Failed to (load|fetch)|net::/.test(each),
      ),
      [],
    )

    // A second tab of the same person shows the same, at once, and writes as well.
    const second = await amal.newPage()
    await second.goto(amal.page.url())
    await inside(second)
    await shown(second, 'fourth, after')
    await write(second, 'from the second tab')
    await shown(amal.page, 'from the second tab')
    await shown(jonas.page, 'from the second tab')
    await amal.close()
    await jonas.close()
  },
)

test.serial('a browser that is killed while messages wait sends them once when it is back', async t => {
  const profile = await mkdtemp(join(tmpdir(), 'letro-app-'))
  t.teardown(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  const claire = await world.enrolled('claire', 'Claire Martin')
  let samir = await launchKillable(profile)
  t.teardown(() => samir.kill())
  samir.context.setDefaultTimeout(patienceMs)
  // The passkey opens no vault here: a passphrase does, which survives the browser.
  const cdp = await samir.context.newCDPSession(samir.page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  const passphrase = 'seven ducks cross the river'
  await samir.page.goto(await world.invite('samir', 'Samir Haddad'))
  await samir.page.locator('button[type=submit].main').click()
  for (const field of await samir.page.locator('input[type=password]').all()) await field.fill(passphrase)
  await samir.page.locator('input[type=password]').first().waitFor()
  for (const field of await samir.page.locator('input[type=password]').all()) await field.fill(passphrase)
  await samir.page.locator('button[type=submit].main').click()
  await samir.page.locator('.enter-key').waitFor()
  await samir.page.locator('.enter-foot button').click()
  await finish(samir.page)

  await createRoom(claire.page, 'Night shift', 'samir')
  await joinFirst(samir.page)
  await write(claire.page, 'Ward 4 needs a second nurse')
  await shown(samir.page, 'Ward 4 needs a second nurse')
  await world.server.kill()
  await write(samir.page, 'I am on my way')
  await samir.page.getByText('queued').first().waitFor()
  await samir.kill()

  samir = await launchKillable(profile)
  samir.context.setDefaultTimeout(patienceMs)
  await samir.page.goto(`${world.server.base}/`)
  await samir.page.locator('input[type=password]').fill(passphrase)
  await samir.page.locator('form button[type=submit]').click()
  await inside(samir.page)
  await samir.page.locator('a.room').first().click()
  await shown(samir.page, 'I am on my way')
  await world.server.start()
  await shown(claire.page, 'I am on my way')
  await gone(samir.page, 'queued')
  t.is((await messages(claire.page)).filter(each => each.includes('I am on my way')).length, 1)
  await claire.close()
})

async function createRoom(page: Page, name: string, person: string): Promise<void> {
  await page.goto(`${world.server.base}/#/new/room`)
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Find a person').fill(person)
  await page.locator('.picker-list button').first().click()
  await page.getByRole('button', { name: 'Create room' }).click()
  await page.getByRole('heading', { name }).first().waitFor()
}

async function joinFirst(page: Page): Promise<void> {
  await page.locator('a.room').first().click()
  await page.getByRole('button', { name: 'Accept' }).click()
  await page.getByRole('textbox').last().waitFor()
}

async function write(page: Page, text: string): Promise<void> {
  const box = page.locator('main').getByRole('textbox').last()
  await box.fill(text)
  await box.press('Enter')
  await shown(page, text)
}

async function shown(page: Page, text: string): Promise<void> {
  await page.locator('main').getByText(text).first().waitFor()
}

async function gone(page: Page, text: string): Promise<void> {
  await page.locator('main').getByText(text, { exact: true }).first().waitFor({ state: 'detached' })
}

async function unlock(page: Page): Promise<void> {
  const locked = page.locator('.enter-acts .main')
  await Promise.race([locked.waitFor(), inside(page)])
  if (await locked.isVisible()) await locked.click()
  await inside(page)
}

/** Lines of the room, without what is only read out. */
async function messages(page: Page): Promise<string[]> {
  return (await page.locator('main').innerText()).split('\n').filter(line => !line.includes('\u2069: \u2068'))
}
