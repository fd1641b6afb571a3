/**
 * The app in Firefox: signed in by a demonstration's link, what was written is read, a message goes out, and all of it is
 * there again after a reload. Passkeys are left out: Firefox has no authenticator that a program could touch.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { build } from '../e2e/app.ts'
import { installFirefox } from '../support/firefox.ts'
import { freePort } from '../support/free-port.ts'

const root = join(import.meta.dirname, '../..')
const patienceMs = 60_000
const firefox = installFirefox()
const inFirefox = firefox ? test.serial : test.serial.skip
if (!firefox) console.log('Firefox is not here and cannot be installed: its test is left out (FIREFOX_PATH).')

let demo: ChildProcess
let address: string
let browser: Browser

test.before(async () => {
  if (!firefox) return
  build()
  const port = await freePort()
  demo = fork(join(root, 'scripts/demo.ts'), ['--port', String(port)], { cwd: root, silent: true })
  await once(demo, 'message')
  address = `http://localhost:${port}`
  browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true })
})
test.after.always(async () => {
  await browser?.close()
  if (!demo) return
  demo.kill('SIGTERM')
  await once(demo, 'exit')
})

inFirefox('signs in, reads, writes, and has it all after a reload', async t => {
  const page = await browser.newPage()
  page.setDefaultTimeout(patienceMs)
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error)))
  await page.goto(`${address}/#/demo/jonas`)
  await openRoom(page, 'Ward 4')
  await saw(page, 'Culture of bed 2 is negative')

  await page.type('.composer-place:not([inert]) textarea', 'Written in Firefox.')
  await page.keyboard.press('Enter')
  await saw(page, 'Written in Firefox.')
  // It has left when another person has it.
  const other = await (await browser.createBrowserContext()).newPage()
  other.setDefaultTimeout(patienceMs)
  await other.goto(`${address}/#/demo/claire`)
  await openRoom(other, 'Ward 4')
  await saw(other, 'Written in Firefox.')

  await page.reload()
  await openRoom(page, 'Ward 4')
  await saw(page, 'Written in Firefox.')
  await saw(page, 'Culture of bed 2 is negative')
  t.deepEqual(complaints, [])
})

async function openRoom(page: Page, name: string): Promise<void> {
  await page.waitForSelector('nav.list')
  await page.locator(`nav.list ::-p-text(${name})`).click()
  await page.waitForSelector('.composer-place:not([inert]) textarea')
}

async function saw(page: Page, words: string): Promise<void> {
  await page.waitForSelector(`main ::-p-text(${words})`)
}
