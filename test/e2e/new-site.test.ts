/**
 * From nothing to the first message, as people meet it: `letro init`, the trust page, a browser that learns the private authority,
 * the sheet with its codes, enrolment by passkey, two people who write.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Locator } from 'playwright-core'
import decodeQR from 'qr/decode.js'
import sharp from 'sharp'
import { freePort } from '../support/free-port.ts'
import { withoutLetro } from '../support/server-process.ts'
import { launchTrusting } from '../support/trusting-chromium.ts'
import { until } from '../support/until.ts'
import { Visitor } from '../support/visitor.ts'
import { build, finish, patienceMs, pictures } from './app.ts'
import { violations } from './axe.ts'
import { line, write } from './conversation.ts'

const host = 'chat.clinic.test'
const letro = join(import.meta.dirname, '../../provisioning/letro.ts')
const folder = mkdtempSync(join(tmpdir(), 'letro-site-'))
const config = join(folder, 'letro.toml')
const data = join(folder, 'data')
const home = (name: string) => mkdtempSync(join(folder, `${name}-`))

test.before(() => build())
test.after.always(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

test('from letro init to the first message, with the private authority', async t => {
  const [client, trust] = [await freePort(), await freePort()]
  const origin = `https://${host}:${client}`
  await init({
    letro: 1,
    server_name: 'clinic.test',
    origin,
    administrator: 'amal',
    certificate: { from: 'own' },
    listen: { client: `127.0.0.1:${client}`, trust_page: `127.0.0.1:${trust}` },
  })
  const server = await started(t)

  // A browser that knows nothing yet.
  const stranger = await launchTrusting(home('stranger'), null, '*.clinic.test')
  t.teardown(() => stranger.close())
  const page = await stranger.newPage({ acceptDownloads: true })
  await page.goto(`http://${host}:${trust}/`)
  await page.getByText('does not recognise it yet').waitFor()
  t.deepEqual(await violations(page), [])
  await page.getByText('Firefox (any computer)').click()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('details[open] a.button').click(),
  ])
  const authority = join(folder, 'authority.crt')
  await download.saveAs(authority)
  const fingerprint = createHash('sha256').update(readFileSync(authority)).digest('hex').toUpperCase()
  t.is((await page.locator('.print').innerText()).replaceAll(/\s/g, ''), fingerprint)
  await t.throwsAsync(() => page.goto(origin), { message: /ERR_CERT_AUTHORITY_INVALID/ })

  // One that was told to trust it.
  const trusting = await launchTrusting(home('trusting'), authority, '*.clinic.test')
  t.teardown(() => trusting.close())
  const told = await trusting.newPage()
  await told.goto(`http://${host}:${trust}/`)
  await told.getByText(`This device recognises ${host}`).waitFor()
  await lookAt(trusting, trust)

  const link = /https:\S+\/enrol#\S+/.exec(server.output())![0]
  const amal = await enrol(trusting, link)

  const sheets = join(folder, 'sheets.html')
  await run(
    'enrol',
    'person',
    'jonas',
    '--name',
    'Jonas Weber',
    '--data',
    data,
    '--sheets',
    sheets,
    '--contact',
    'ext. 4711',
  )
  const paper = await trusting.newPage({ viewport: { width: 900, height: 1200 } })
  await paper.goto(`file://${sheets}`)
  await paper.locator('article').screenshot({ path: join(pictures, 'sheet-en.png') })
  t.true((await paper.locator('.print').innerText()).replaceAll(/\s/g, '').includes(fingerprint))
  const [trustCode, enrolCode] = [
    await read(paper.locator('svg').first()),
    await read(paper.locator('svg').last()),
  ]
  t.is(trustCode, `http://${host}:${trust}`)
  const typed = (await paper.locator('.code bdi').innerText()).trim()
  t.is(enrolCode, `${origin}/enrol#${typed}`)
  const jonas = await enrol(trusting, enrolCode)

  await amal.page.goto(`${origin}/#/new/room`)
  await amal.page.getByLabel('Name', { exact: true }).fill('Ward 4')
  await amal.page.getByLabel('Find a person').fill('jonas')
  await amal.page.locator('.picker-list button').first().click()
  await amal.page.getByRole('button', { name: 'Create room' }).click()
  await amal.page.getByRole('heading', { name: 'Ward 4' }).first().waitFor()
  await write(amal.page, 'Welcome to the clinic')
  await jonas.page.locator('a.room').first().click()
  await jonas.page.getByRole('button', { name: 'Accept' }).click()
  await line(jonas.page, 'Welcome to the clinic').waitFor()
  t.deepEqual([...amal.complaints, ...jonas.complaints], [])
})

/** Light and dark, narrow and wide, in English and Arabic. Once trusted, browsers come by https alone (HSTS): each look is somebody's first. */
async function lookAt(browser: Browser, port: number): Promise<void> {
  for (const [language, colorScheme, width] of [
    ['en', 'light', 1100],
    ['ar', 'dark', 1100],
    ['ar', 'light', 390],
  ] as const) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } })
    const page = await context.newPage()
    await page.goto(`http://${host}:${port}/?lang=${language}`)
    await page.locator('#test[data-state=good]').waitFor()
    await page.locator('#again').waitFor({ state: 'hidden' })
    const path = join(pictures, `trust-${language}-${colorScheme}-${width}.png`)
    await page.screenshot({ path, fullPage: true })
    await context.close()
  }
}

/** As a camera would: from the paper. */
async function read(drawing: Locator): Promise<string> {
  const png = await drawing.screenshot()
  const { data: pixels, info } = await sharp(png)
    .extend({ top: 40, bottom: 40, left: 40, right: 40, background: '#fff' })
    .resize({ width: 800 })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return decodeQR({ data: new Uint8ClampedArray(pixels), width: info.width, height: info.height })
}

async function enrol(browser: Browser, link: string): Promise<Visitor> {
  const context = await browser.newContext({ locale: 'en', viewport: { width: 1280, height: 800 } })
  context.setDefaultTimeout(patienceMs)
  const visitor = await Visitor.at(context, { prf: true })
  await visitor.page.goto(link)
  await visitor.page.locator('button[type=submit].main').click()
  await visitor.page.locator('.enter-key').waitFor()
  await visitor.page.locator('.enter-foot button').click()
  await finish(visitor.page)
  return visitor
}

async function init(answers: object): Promise<void> {
  const file = join(folder, 'letro.json')
  writeFileSync(file, JSON.stringify(answers))
  await run('init', '--answers', file, '--config', config, '--data', data)
}

async function run(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [letro, ...args])).stdout
}

async function started(t: ExecutionContext): Promise<{ output(): string }> {
  const child = spawn(process.execPath, ['server/main.ts', '--config', config], {
    cwd: join(import.meta.dirname, '../..'),
    env: withoutLetro(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  t.teardown(() => child.kill('SIGKILL'))
  await until(() => output.includes('/enrol#')).catch(() => {})
  if (!output.includes('/enrol#')) throw new Error(`the server did not start:\n${output}`)
  return { output: () => output }
}
