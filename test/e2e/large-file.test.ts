/** A file of 100 MB: what it takes of a device's memory, and that none of it is lost when the browser is killed while it waits. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import type { CDPSession, Page } from 'playwright-core'
import { type Killable, launchKillable } from '../support/killable-chromium.ts'
import { sleep } from '../support/server-process.ts'
import { Wire } from '../support/wire.ts'
import { AppWorld, finish, inside, patienceMs } from './app.ts'
import { attach, field, line, makeFile, save, sent, sha256, transfer, write } from './conversation.ts'

const test = anyTest as TestFn
const MB = 1_000_000
/** Pieces on their way, as many for a larger file. Held whole, it would be the file once or twice more. */
const mostGrownMB = 80
const largePatience = { timeout: 5 * patienceMs }
const folder = mkdtempSync(join(tmpdir(), 'letro-large-'))
const file = join(folder, 'film.bin')
const passphrase = 'seven ducks cross the river'

test('100 MB wait through a killed browser, arrive once as they were, and are never held whole by a page or a worker', async t => {
  const wire = await Wire.open()
  const world = await AppWorld.open({ 'server.origin': wire.origin })
  let amal = await launchKillable(join(folder, 'amal'))
  t.teardown(async () => {
    await amal.kill()
    await world.close()
    await wire.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  wire.target = Number(new URL(world.server.base).port)
  const jonas = await world.enrolled('jonas', 'Jonas Weber')
  await enrol(amal, await world.invite('amal', 'Amal Nasser'))
  await amal.page.goto(`${wire.origin}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  await field(amal.page).waitFor()
  await write(amal.page, 'The film of the operation')
  await jonas.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await line(jonas.page, 'The film of the operation').waitFor()
  const room = new URL(amal.page.url()).hash

  const sum = await makeFile(file, 100 * MB)
  wire.target = null
  wire.cut()
  const sealing = await mostHeldBy(amal.page)
  await attach(amal.page, file)
  await line(amal.page, 'film.bin').waitFor()
  notWhole(t, 'sealed', await sealing())
  await amal.kill()

  amal = await launchKillable(join(folder, 'amal'))
  amal.context.setDefaultTimeout(patienceMs)
  await amal.page.goto(`${wire.origin}/`)
  await amal.page.locator('input[type=password]').fill(passphrase)
  await amal.page.locator('form button[type=submit]').click()
  await inside(amal.page)
  await amal.page.evaluate(`location.hash = ${JSON.stringify(room)}`)
  await line(amal.page, 'film.bin').waitFor()
  const uploading = await mostHeldBy(amal.page)
  wire.target = Number(new URL(world.server.base).port)
  await transfer(amal.page).waitFor(largePatience)
  await line(jonas.page, 'film.bin').waitFor(largePatience)
  notWhole(t, 'uploaded', await uploading())
  await sent(amal.page, 'film.bin')

  const downloading = await mostHeldBy(jonas.page)
  const saved = jonas.page.waitForEvent('download', largePatience)
  await save(jonas.page, 'film.bin').click()
  const path = await (await saved).path()
  notWhole(t, 'downloaded', await downloading())
  t.is(await sha256(path), sum)
  t.is(await jonas.page.locator('li.message', { hasText: 'film.bin' }).count(), 1)
})

function notWhole(t: ExecutionContext, what: string, grownMB: number): void {
  t.log(`${what}: at most ${grownMB} MB more`)
  t.true(grownMB < mostGrownMB, `a process grew by ${grownMB} MB while 100 MB were ${what}`)
}

/**
 * From here on: by how many MB the page's or a worker's process was larger at its most, whenever what nobody holds any more
 * had just been collected: garbage comes faster than a browser on a busy machine collects it. Of the browser's own process
 * nothing is said: it has the file's pieces, and puts them on the disk as it likes.
 */
async function mostHeldBy(page: Page): Promise<() => Promise<number>> {
  if (!existsSync('/proc/self/status')) return async () => 0
  const cdp = await page.context().browser()!.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  const collect = await collector(cdp)
  await collect()
  const before = renderers.map(memoryOf)
  let most = 0
  let isOver = false
  const sampled = (async () => {
    while (!isOver) {
      await collect()
      const grown = renderers.map((pid, i) => memoryOf(pid) - before[i]!)
      most = Math.max(most, ...grown)
      await sleep(50)
    }
  })()
  // Where the test fails before it asks, it has said why.
  sampled.catch(() => {})
  return async () => {
    isOver = true
    await sampled
    return Math.round(most)
  }
}

/** Collects the garbage of all pages and workers of a browser. */
async function collector(cdp: CDPSession): Promise<() => Promise<void>> {
  const { targetInfos } = await cdp.send('Target.getTargets')
  const withScripts = targetInfos.filter(({ type }) => ['page', 'shared_worker', 'worker'].includes(type))
  const sessions = await Promise.all(
    withScripts.map(
      async ({ targetId }) => (await cdp.send('Target.attachToTarget', { targetId })).sessionId,
    ),
  )
  let asked = 0
  const answers = new Map<number, () => void>()
  cdp.on('Target.receivedMessageFromTarget', ({ message }) => answers.get(JSON.parse(message).id)?.())
  const collectIn = (sessionId: string) => {
    const id = ++asked
    const answered = new Promise<void>(resolve => answers.set(id, resolve))
    const message = JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' })
    return cdp.send('Target.sendMessageToTarget', { sessionId, message }).then(() => answered)
  }
  return async () => void (await Promise.all(sessions.map(collectIn)))
}

/** In MB. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / MB
}

/** Without PRF: a passphrase survives the browser, the virtual authenticator does not. */
async function enrol({ context, page }: Killable, link: string): Promise<void> {
  context.setDefaultTimeout(patienceMs)
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
  for (const each of await page.locator('input[type=password]').all()) await each.fill(passphrase)
  await page.locator('button[type=submit].main').click()
  await page.locator('.enter-key').waitFor()
  await page.locator('.enter-foot button').click()
  await finish(page)
}
