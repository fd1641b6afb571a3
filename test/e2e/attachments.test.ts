/** Files on their way, between two people in real browsers and the real server, over a wire that is slow, falls silent, breaks. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { ServerProcess } from '../support/server-process.ts'
import type { Visitor } from '../support/visitor.ts'
import { Wire } from '../support/wire.ts'
import { AppWorld, patienceMs, pictures } from './app.ts'
import {
  attach,
  chooseFile,
  field,
  grows,
  line,
  makeFile,
  save,
  sent,
  sha256,
  transfer,
  unlocked,
  write,
} from './conversation.ts'
import { looked } from './looked.ts'

const test = anyTest as TestFn
const MB = 1_000_000
/** A file of 12 MB takes half a minute: however starved the browser, what is looked for comes before its end. */
const slow = MB / 2
let wire: Wire
let world: AppWorld
let amal: Visitor
let jonas: Visitor
const folder = mkdtempSync(join(tmpdir(), 'letro-files-'))

test.before(async () => {
  mkdirSync(pictures, { recursive: true })
  wire = await Wire.open()
  world = await AppWorld.open({ 'server.origin': wire.origin, 'limits.upload_size': '25 MiB' })
  wire.target = Number(new URL(world.server.base).port)
  amal = await world.enrolled('amal', 'Amal Nasser')
  jonas = await world.enrolled('jonas', 'Jonas Weber')
  await amal.page.goto(`${wire.origin}/#/new/message`)
  await amal.page.locator('.picker input').fill('@jonas:localhost')
  await amal.page.locator('.picker-list button').first().click()
  await field(amal.page).waitFor()
  await write(amal.page, 'The films of the ward')
  await jonas.page.locator('nav.list').getByText('Amal Nasser').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await line(jonas.page, 'The films of the ward').waitFor()
})
test.after.always(async () => {
  await world?.close()
  await wire?.close()
  rmSync(folder, { recursive: true, force: true })
})
test.afterEach.always(async t => {
  wire.mend()
  if (t.passed) return
  await amal.page.screenshot({ path: join(pictures, 'files-failed-amal.png') })
  await jonas.page.screenshot({ path: join(pictures, 'files-failed-jonas.png') })
})

test.serial(
  'an upload says how far it is, pauses, and goes on; what is written meanwhile leaves',
  async t => {
    wire.up = slow
    await attach(amal.page, await make('first.bin', 20 * MB))
    await grows(amal.page)
    await amal.page.screenshot({ path: join(pictures, 'files-upload.png') })
    await transfer(amal.page).getByRole('button', { name: 'Pause' }).click()
    await transfer(amal.page).getByText('paused').waitFor()
    t.is(await amal.page.getByText('It goes on when you say so').count(), 0, 'it is said once')
    t.deepEqual(await looked(amal.page, 'files-paused'), [])
    const before = wire.passed.up
    await write(amal.page, 'while it is paused')
    await line(jonas.page, 'while it is paused').waitFor()
    t.true(wire.passed.up - before < MB, `${wire.passed.up - before} bytes went up while it was paused`)
    t.is(await line(jonas.page, 'first.bin').count(), 0)
    wire.mend()
    await transfer(amal.page).getByRole('button', { name: 'Go on' }).click()
    await line(jonas.page, 'first.bin').waitFor()
    await transfer(amal.page).waitFor({ state: 'detached' })
    await sent(amal.page, 'first.bin')
    t.is(await jonas.page.locator('li.message', { hasText: 'first.bin' }).count(), 1)
  },
)

test.serial('a download says how far it is, pauses, goes on, and is what was sent', async t => {
  wire.down = slow
  const saved = jonas.page.waitForEvent('download', { timeout: 2 * patienceMs })
  await save(jonas.page, 'first.bin').click()
  await grows(jonas.page)
  await transfer(jonas.page).getByRole('button', { name: 'Pause' }).click()
  await transfer(jonas.page).getByText('paused').waitFor()
  // What was on its way when it was stopped may still pass.
  await jonas.page.waitForTimeout(1000)
  const before = wire.passed.down
  await jonas.page.waitForTimeout(1000)
  t.true(wire.passed.down - before < MB, `${wire.passed.down - before} bytes came down while it was paused`)
  wire.mend()
  await transfer(jonas.page).getByRole('button', { name: 'Go on' }).click()
  t.is(await sha256(await (await saved).path()), sums.get('first.bin')!)
  await transfer(jonas.page).waitFor({ state: 'detached' })
})

test.serial('an upload that breaks begins again by itself, and arrives once', async t => {
  wire.up = slow
  await attach(amal.page, await make('broken.bin', 24 * MB))
  await grows(amal.page)
  wire.target = null
  wire.cut()
  await transfer(amal.page).getByText('queued').waitFor()
  await amal.page.screenshot({ path: join(pictures, 'files-waiting.png') })
  wire.mend()
  wire.target = Number(new URL(world.server.base).port)
  await line(jonas.page, 'broken.bin').waitFor()
  await sent(amal.page, 'broken.bin')
  t.is(await jonas.page.locator('li.message', { hasText: 'broken.bin' }).count(), 1)
})

test.serial('a download that breaks says so at the place, and a second press fetches it', async t => {
  wire.down = slow
  await save(jonas.page, 'broken.bin').click()
  await grows(jonas.page)
  wire.cut()
  const file = line(jonas.page, 'broken.bin')
  await file.locator('.file-error').waitFor()
  t.deepEqual(await looked(jonas.page, 'files-download-failed'), [])
  t.is(await transfer(jonas.page).count(), 0, 'nothing offers to go on with what has ended')
  wire.mend()
  const saved = jonas.page.waitForEvent('download')
  await save(jonas.page, 'broken.bin').click()
  t.is(await sha256(await (await saved).path()), sums.get('broken.bin')!)
  t.is(await file.locator('.file-error').count(), 0)
})

test.serial('a server that falls silent in the middle holds up nothing for ever, either way', async t => {
  wire.up = slow
  wire.down = slow
  await attach(amal.page, await make('silent.bin', 12 * MB))
  await grows(amal.page)
  await save(jonas.page, 'broken.bin').click()
  await grows(jonas.page)
  wire.fallSilent()
  // After a minute without a byte.
  const patience = { timeout: 60_000 + patienceMs }
  await Promise.all([
    transfer(amal.page).getByText('queued').waitFor(patience),
    line(jonas.page, 'broken.bin').locator('.file-error').waitFor(patience),
  ])
  wire.mend()
  await line(jonas.page, 'silent.bin').waitFor({ timeout: 2 * patienceMs })
  await sent(amal.page, 'silent.bin')
  t.is(await jonas.page.locator('li.message', { hasText: 'silent.bin' }).count(), 1)
  const saved = jonas.page.waitForEvent('download')
  await save(jonas.page, 'silent.bin').click()
  t.is(await sha256(await (await saved).path()), sums.get('silent.bin')!)
})

test.serial(
  'a file that is too large is refused in the sheet; one that waited says so, and leaves when it may',
  async t => {
    const { page } = amal
    await chooseFile(page, await make('large.bin', 27 * MB))
    await page.locator('dialog button[type=submit]').click()
    const refusal = page.locator('dialog .notice.bad')
    await refusal.waitFor()
    t.regex(
      (await refusal.innerText()).replaceAll(/[\u2068\u2069]/g, ''),
      /large\.bin is larger than the server takes: 26 MB at most/,
    )
    t.deepEqual(await looked(page, 'files-too-large'), [])
    await page.getByRole('button', { name: 'Cancel' }).click()
    t.is(await page.locator('li.message', { hasText: 'large.bin' }).count(), 0)

    // Without the server nobody knows what it takes.
    wire.target = null
    wire.cut()
    await page.reload()
    await unlocked(page)
    await attach(page, await make('later.bin', 27 * MB))
    await line(page, 'later.bin').waitFor()
    wire.target = Number(new URL(world.server.base).port)
    const waiting = page.locator('li.message', { hasText: 'later.bin' })
    await waiting.getByText('This is too large for the server.').waitFor({ timeout: 2 * patienceMs })
    t.deepEqual(await looked(page, 'files-refused'), [])
    t.is(await waiting.getByText('This is too large for the server.').count(), 1, 'said once')

    // The administrator gives in.
    await world.server.kill()
    const { folder } = world.server
    const server = await ServerProcess.start({
      folder,
      settings: { 'server.origin': wire.origin, 'limits.upload_size': '100 MiB' },
    })
    try {
      wire.target = Number(new URL(server.base).port)
      wire.cut()
      await waiting.getByRole('button', { name: 'Send again' }).click()
      await line(jonas.page, 'later.bin').waitFor({ timeout: 2 * patienceMs })
      await sent(page, 'later.bin')
    } finally {
      await server.kill()
      await world.server.start()
      wire.target = Number(new URL(world.server.base).port)
      wire.cut()
    }
  },
)

/** By name, of what was attached. */
const sums = new Map<string, string>()

async function make(name: string, sizeBytes: number): Promise<string> {
  const path = join(folder, name)
  sums.set(name, await makeFile(path, sizeBytes))
  return path
}
