/** The size of a picture from its first bytes: right for what every encoder makes, and never a billion pixels. */
import test from 'ava'
import fc from 'fast-check'
import sharp from 'sharp'
import { isDrawable, mostPixels, pictureSize } from '../../../pwa/views/parts/picture-size.ts'

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 148, g: 72, b: 26, alpha: 0.5 } } })

const kinds = {
  png: (width: number, height: number) => blank(width, height).png(),
  gif: (width: number, height: number) => blank(width, height).gif(),
  jpeg: (width: number, height: number) => blank(width, height).jpeg(),
  'progressive jpeg': (width: number, height: number) => blank(width, height).jpeg({ progressive: true }),
  'jpeg with much before it': (width: number, height: number) =>
    blank(width, height)
      .jpeg()
      .withExif({ IFD0: { ImageDescription: 'x'.repeat(40_000) } })
      .withIccProfile('p3'),
  webp: (width: number, height: number) => blank(width, height).removeAlpha().webp(),
  'webp with alpha': (width: number, height: number) => blank(width, height).webp(),
  'lossless webp': (width: number, height: number) => blank(width, height).webp({ lossless: true }),
  avif: (width: number, height: number) => blank(width, height).avif({ effort: 0 }),
}

for (const [kind, make] of Object.entries(kinds)) {
  test(`the size of a ${kind} is what its decoder says`, async t => {
    for (const [width, height] of [
      [1, 1],
      [17, 300],
      [640, 41],
    ] as const) {
      const picture = new Blob([new Uint8Array(await make(width, height).toBuffer())])
      t.deepEqual(await pictureSize(picture), { width, height })
      t.true(await isDrawable(picture))
    }
  })
}

/** A picture whose header says another size than it has: what a bomb does, the other way round. */
async function saying(
  kind: 'png' | 'jpeg' | 'gif' | 'lossless webp' | 'avif',
  width: number,
  height: number,
) {
  const bytes = new Uint8Array(await kinds[kind](16, 16).toBuffer())
  const view = new DataView(bytes.buffer)
  const find = (text: string) => Buffer.from(bytes).indexOf(text, 0, 'latin1')
  if (kind === 'png') {
    view.setUint32(16, width)
    view.setUint32(20, height)
  } else if (kind === 'jpeg') {
    const frame = find('\xff\xc0')
    view.setUint16(frame + 5, height)
    view.setUint16(frame + 7, width)
  } else if (kind === 'gif') {
    const frame = find(',')
    view.setUint16(frame + 5, width, true)
    view.setUint16(frame + 7, height, true)
  } else if (kind === 'lossless webp') {
    view.setUint32(21, ((width - 1) & 0x3fff) | (((height - 1) & 0x3fff) << 14), true)
  } else {
    view.setUint32(find('ispe') + 8, width)
    view.setUint32(find('ispe') + 12, height)
  }
  return new Blob([bytes])
}

test('what says that it is more than a device should draw is not drawn', async t => {
  for (const [kind, width, height] of [
    ['png', 100_000, 100_000],
    ['png', 0xffffffff, 0xffffffff],
    ['png', 0, 5],
    ['jpeg', 65_535, 65_535],
    ['gif', 65_535, 65_535],
    ['lossless webp', 16_384, 16_384],
    ['avif', 60_000, 60_000],
  ] as const)
    t.false(await isDrawable(await saying(kind, width, height)), `${kind} ${width} × ${height}`)
  t.true(await isDrawable(await saying('png', 8000, mostPixels / 8000)))
  t.false(await isDrawable(await saying('png', 8001, mostPixels / 8000)))
})

test('what is no picture that we draw is not drawn, however it is cut', async t => {
  for (const text of ['', 'GIF8', 'BM', '<svg xmlns="http://www.w3.org/2000/svg"/>', '\0\0\x01\0'])
    t.false(await isDrawable(new Blob([text])), text)
  for (const make of Object.values(kinds)) {
    const bytes = new Uint8Array(await make(9, 9).toBuffer())
    for (let length = 0; length < 12; length++) t.false(await isDrawable(new Blob([bytes.slice(0, length)])))
  }
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('', 'GIF89a', 'RIFF0000WEBPVP8X', '\xff\xd8\xff'),
      async (bytes, start) => {
        const size = await pictureSize(new Blob([Buffer.from(start, 'latin1'), new Uint8Array(bytes)]))
        return size === null || (size.width >= 0 && size.height >= 0)
      },
    ),
    { numRuns: 300 },
  )
})
