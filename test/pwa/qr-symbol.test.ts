import test from 'ava'
import { drawSymbol, type QrSymbol, readSymbol } from '../../pwa/views/parts/qr-symbol.ts'

/** As a camera would see it, straight on. */
function photographed({ size, path }: QrSymbol, scale = 4) {
  const width = size * scale
  const data = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++)
      for (let column = Number(x) * scale; column < (Number(x) + Number(length)) * scale; column++)
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
  }
  return { data, width, height: width }
}

test('bytes of a verification code come back as they went in, also those that are no text', async t => {
  const bytes = Uint8Array.from({ length: 160 }, (_, i) => (i * 37 + 5) & 0xff)
  t.deepEqual(await readSymbol(photographed(await drawSymbol(bytes))), bytes)
})

test('a link is read as its characters', async t => {
  const link = 'https://chat.example.org/link#abc_DEF-123'
  const bytes = await readSymbol(photographed(await drawSymbol(link)))
  t.is(new TextDecoder().decode(bytes!), link)
})

test('a picture without a code gives nothing', async t => {
  const data = new Uint8ClampedArray(64 * 64 * 4).fill(200)
  t.is(await readSymbol({ data, width: 64, height: 64 }), null)
})
