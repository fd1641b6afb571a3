/** A Chromium of its own whose camera sees what is held before it: a film that is made anew for each look. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Locator } from 'playwright-core'
import { encodeQR } from 'qr'
import sharp from 'sharp'
import { chromiumArgs, findChromium } from '../support/chromium.ts'

/** Of one second, which is shown again and again: something that is held still. */
const frames = 30

export class Camera {
  readonly browser: Browser
  readonly #folder: string
  readonly #film: string

  private constructor(browser: Browser, folder: string, film: string) {
    this.browser = browser
    this.#folder = folder
    this.#film = film
  }

  /** It sees nothing but white. */
  static async open(): Promise<Camera> {
    const folder = mkdtempSync(join(tmpdir(), 'letro-camera-'))
    const film = join(folder, 'seen.mjpeg')
    writeFileSync(film, await filmOf(await sharp(blank).png().toBuffer()))
    const browser = await chromium.launch({
      executablePath: findChromium()!,
      headless: true,
      args: [
        ...chromiumArgs,
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${film}`,
      ],
    })
    return new Camera(browser, folder, film)
  }

  /** What stands on somebody's screen there. */
  async lookAt(shown: Locator): Promise<void> {
    await this.#see(await shown.screenshot())
  }

  /** From the next time on that it is switched on. */
  async #see(picture: Buffer): Promise<void> {
    writeFileSync(this.#film, await filmOf(picture))
  }

  /** A code as it is printed on a sheet. */
  async seeCode(content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const options = { encoding: 'byte', ecc: 'medium', border: 4, textEncoder: () => bytes } as const
    const rows = encodeQR('bytes', 'raw', options)
    const size = rows.length
    const pixels = Buffer.from(rows.flatMap(row => row.map(isDark => (isDark ? 0 : 255))))
    await this.#see(
      await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
        .png()
        .toBuffer(),
    )
  }

  async close(): Promise<void> {
    await this.browser.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

const blank = { create: { width: 440, height: 440, channels: 3 as const, background: '#fff' } }

async function filmOf(picture: Buffer): Promise<Buffer> {
  const frame = await sharp(picture)
    .resize(440, 440, { fit: 'contain', background: '#fff', kernel: 'nearest' })
    .flatten({ background: '#fff' })
    .extend({ top: 20, bottom: 20, left: 100, right: 100, background: '#fff' })
    .toColourspace('srgb')
    .jpeg({ quality: 95, chromaSubsampling: '4:2:0' })
    .toBuffer()
  return Buffer.concat(Array.from({ length: frames }, () => frame))
}
