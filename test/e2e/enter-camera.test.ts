/** The code of an enrolment sheet, held before a camera: a real Chromium whose camera shows a film of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { chromium } from 'playwright-core'
import { encodeQR } from 'qr'
import sharp from 'sharp'
import { chromiumArgs, findChromium } from '../support/chromium.ts'
import { Visitor } from '../support/visitor.ts'
import { AppWorld, patienceMs } from './app.ts'

test.serial('a link that the camera reads opens the invitation', async t => {
  const world = await AppWorld.open()
  const folder = mkdtempSync(join(tmpdir(), 'letro-camera-'))
  t.teardown(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const film = join(folder, 'sheet.mjpeg')
  writeFileSync(film, await sheetOf(await world.invite('zeina', 'Zeina Farah')))
  const browser = await chromium.launch({
    executablePath: findChromium()!,
    headless: true,
    args: [
      ...chromiumArgs,
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
    ],
  })
  t.teardown(() => browser.close())
  const context = await browser.newContext({ locale: 'en', permissions: ['camera'] })
  context.setDefaultTimeout(patienceMs)
  const { page, complaints } = await Visitor.at(context)
  await page.goto(world.server.base)
  await page.getByRole('button', { name: 'Scan a QR code' }).click()
  await page.getByRole('heading', { name: /Welcome, .Zeina Farah/ }).waitFor()
  t.is(await page.locator('video').count(), 0, 'the camera is off again')
  t.deepEqual(complaints, [])
})

test.serial('a camera that may not be used is explained, and typing is left', async t => {
  const world = await AppWorld.open()
  t.teardown(() => world.close())
  const { page } = await world.visitor()
  await page.goto(world.server.base)
  await page.getByRole('button', { name: 'Scan a QR code' }).click()
  await page.locator('.notice').getByText('camera').waitFor()
  t.true(await page.getByLabel('Link or code').isEnabled())
})

/** One picture, again and again: what a camera sees that is held still. */
async function sheetOf(content: string): Promise<Buffer> {
  const rows = encodeQR(content, 'raw', { ecc: 'medium', border: 4 })
  const size = rows.length
  const pixels = Buffer.from(rows.flatMap(row => row.map(isDark => (isDark ? 0 : 255))))
  const frame = await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .resize(440, 440, { kernel: 'nearest' })
    .extend({ top: 20, bottom: 20, left: 100, right: 100, background: '#fff' })
    .toColourspace('srgb')
    .jpeg({ quality: 95, chromaSubsampling: '4:2:0' })
    .toBuffer()
  return Buffer.concat(Array.from({ length: 30 }, () => frame))
}
