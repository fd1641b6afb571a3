/** Reads a QR code off a page, as a camera would: from its drawing, not from what it was drawn of. */
import type { Page } from 'playwright-core'
import decodeQR from 'qr/decode.js'

const pixels = 6

export async function readShownCode(page: Page): Promise<string> {
  return new TextDecoder().decode(await readShownBytes(page))
}

export async function readShownBytes(page: Page): Promise<Uint8Array> {
  const drawing = page.locator('.qr-code svg')
  await drawing.waitFor()
  const size = Number((await drawing.getAttribute('viewBox'))!.split(' ')[2])
  const path = (await drawing.locator('path').getAttribute('d'))!
  const side = size * pixels
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    for (let row = Number(y) * pixels; row < (Number(y) + 1) * pixels; row++) {
      const from = (row * side + Number(x) * pixels) * 4
      for (let at = from; at < from + Number(length) * pixels * 4; at += 4) data.fill(0, at, at + 3)
    }
  }
  let read = new Uint8Array()
  decodeQR(
    { data, width: side, height: side },
    {
      textDecoder: bytes => {
        read = Uint8Array.from(bytes)
        return ''
      },
    },
  )
  return read
}
