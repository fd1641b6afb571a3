/**
 * The browser for tests: found, or installed once by what the machine offers.
 *
 * Debian with root: the system package. Elsewhere: playwright-core's own download.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { bringProgram, canInstall } from './debian-package.ts'
import { patienceMs } from './until.ts'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Path of an executable Chromium, or null. `CHROMIUM_PATH` names another one. */
export function findChromium(): string | null {
  const own = process.env['CHROMIUM_PATH']
  return [...(own ? [own] : places), chromium.executablePath()].find(path => existsSync(path)) ?? null
}

/** Installs Chromium where it is absent; throws with the command that a person can run. */
export function installChromium(): string {
  const found = findChromium()
  if (found) return found
  if (canInstall()) bringProgram('/usr/bin/chromium', 'chromium')
  else run(process.execPath, ['node_modules/playwright-core/cli.js', 'install', 'chromium'])
  const installed = findChromium()
  if (!installed)
    throw new Error('Chromium is needed for the browser tests: install it, or set CHROMIUM_PATH.')
  return installed
}

/** Flags without which Chromium asks the network for things that no test needs. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** With the patience of tests in each of its contexts: Playwright's own half minute is over soon on a busy machine. */
export function patient(browser: Browser): Browser {
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async options => {
    const context = await newContext(options)
    context.setDefaultTimeout(patienceMs)
    return context
  }
  return browser
}

function run(command: string, args: string[]): void {
  console.log(`${command} ${args.join(' ')}`)
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed with status ${status}.`)
}
