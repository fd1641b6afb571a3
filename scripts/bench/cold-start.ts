/**
 * Cold and offline: a browser that was killed is started anew on its profile, the server is gone, and 50,000 messages lie in the
 * vault. From the navigation to the frame that shows the names of the rooms, Argon2id over the passphrase included.
 *
 * A passphrase, because the virtual authenticator keeps no PRF secret over the end of its browser; with a passkey the person waits
 * less. The system has the profile's files in memory: this is a browser that is started again, not a computer.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppWorld, finish, patienceMs } from '../../test/e2e/app.ts'
import { type Killable, launchKillable } from '../../test/support/killable-chromium.ts'
import { sleep } from '../../test/support/server-process.ts'
import { liveThroughHistory, type RoomHistory } from './room-history.ts'
import { WorkerPort } from './worker-port.ts'

export interface ColdStart {
  /** After the page was asked for, in milliseconds. */
  readonly lockScreen: number
  readonly roomNames: number
  readonly messages: number
}

const passphrase = 'seven ducks cross the river'
const settleMs = 2500
const history: RoomHistory = {
  roomCount: Number(process.env['LETRO_BENCH_ROOMS'] ?? 50),
  messagesPerRoom: Number(process.env['LETRO_BENCH_MESSAGES'] ?? 1000),
}

export async function measureColdStarts(runs: number): Promise<ColdStart[]> {
  const world = await AppWorld.open({ 'accounts.registration': 'open' })
  const profile = await mkdtemp(join(tmpdir(), 'letro-cold-'))
  try {
    const messages = await fill(world, profile)
    await world.server.kill()
    const starts: ColdStart[] = []
    for (let i = 0; i < runs; i++) starts.push({ ...(await startCold(world.server.base, profile)), messages })
    return starts
  } finally {
    await world.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function fill(world: AppWorld, profile: string): Promise<number> {
  const browser = await launchKillable(profile)
  try {
    browser.context.setDefaultTimeout(patienceMs)
    await WorkerPort.allow(browser.page)
    await enrol(browser, await world.invite('samira', 'Samira Haddad'))
    const worker = await WorkerPort.open(browser.page, '@samira:localhost')
    const messages = await liveThroughHistory(worker, world.server, history)
    // The files of the app itself are there as well.
    await browser.page.evaluate('navigator.serviceWorker.ready.then(() => null)')
    return messages
  } finally {
    await browser.kill()
  }
}

async function enrol({ context, page }: Killable, link: string): Promise<void> {
  const cdp = await context.newCDPSession(page)
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
  await page.goto(link)
  await page.locator('button[type=submit].main').click()
  await page.locator('input[type=password]').first().waitFor()
  for (const field of await page.locator('input[type=password]').all()) await field.fill(passphrase)
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  await page.locator('.enter-foot button').click()
  await finish(page)
}

async function startCold(
  base: string,
  profile: string,
): Promise<Pick<ColdStart, 'lockScreen' | 'roomNames'>> {
  const { page, context, kill } = await launchKillable(profile)
  try {
    context.setDefaultTimeout(patienceMs)
    // Chromium compiles its own address bar meanwhile, which an installed app does not have.
    await sleep(settleMs)
    await page.addInitScript(unlockAtOnce, { passphrase, rooms: history.roomCount })
    await page.goto(`${base}/`)
    return await page.evaluate<Pick<ColdStart, 'lockScreen' | 'roomNames'>>('globalThis.coldStart')
  } finally {
    await kill()
  }
}

/** In the page, which has no person: the passphrase is typed in the frame that shows where. */
function unlockAtOnce({ passphrase, rooms }: { passphrase: string; rooms: number }): void {
  // biome-ignore lint/suspicious/noExplicitAny: the browser's own types are not those of this program
  const browser = globalThis as any
  const { document, performance, requestAnimationFrame } = browser
  let lockScreen = 0
  browser.coldStart = new Promise(resolve => {
    const look = () => {
      const field = document.querySelector('input[type=password]')
      if (field && !field.value) {
        lockScreen = performance.now()
        field.value = passphrase
        field.dispatchEvent(new browser.Event('input', { bubbles: true }))
      }
      const submit = document.querySelector('form button[type=submit]')
      if (field && submit && !submit.disabled) field.form.requestSubmit()
      const lines = [...document.querySelectorAll('nav.list a.room')]
      // What stands in the document in one frame is painted before the next.
      if (lines.filter(line => line.innerText.trim() !== '').length >= rooms)
        requestAnimationFrame(() => resolve({ lockScreen, roomNames: performance.now() }))
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
}
