/**
 * How many pixels a picture has, read from its first bytes: before anything decodes it, for a few kilobytes may say that they are
 * billions of pixels, and a browser that believes it has no memory left.
 *
 * Read by what the bytes are, not by what somebody called them, as browsers do. What is not known here is not drawn.
 */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** 256 MB, decoded. What has more is offered as a file. */
export const mostPixels = 64_000_000
/** A picture's own description may hold a preview and more: as far as this it is looked for. */
const farthestByte = 4 * 1024 * 1024
const firstBytes = 64 * 1024

export async function isDrawable(picture: Blob): Promise<boolean> {
  const size = await pictureSize(picture)
  return size !== null && size.width > 0 && size.height > 0 && size.width * size.height <= mostPixels
}

/** Null: none of the kinds that we draw, or broken. */
export async function pictureSize(picture: Blob): Promise<PictureSize | null> {
  const head = await bytesOf(picture, 0, firstBytes)
  try {
    if (starts(head, 0, '\x89PNG\r\n\x1a\n')) return starts(head, 12, 'IHDR') ? at(head, 16, 20) : null
    if (starts(head, 0, 'GIF8')) return ofGif(head)
    if (starts(head, 0, 'RIFF') && starts(head, 8, 'WEBP')) return ofWebp(head)
    if (starts(head, 4, 'ftyp')) return ofAvif(head)
    if (head.getUint16(0) === 0xffd8) return await ofJpeg(picture)
  } catch (error) {
    // It ends before it has said it.
    if (!(error instanceof RangeError)) throw error
  }
  return null
}

function at(bytes: DataView, width: number, height: number): PictureSize {
  return { width: bytes.getUint32(width), height: bytes.getUint32(height) }
}

/** The screen, or its first frame where that is larger: browsers take the larger. */
function ofGif(bytes: DataView): PictureSize {
  const [width, height] = [bytes.getUint16(6, true), bytes.getUint16(8, true)]
  const flags = bytes.getUint8(10)
  let place = 13 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  while (bytes.getUint8(place) === 0x21) {
    place += 2
    while (bytes.getUint8(place) !== 0) place += 1 + bytes.getUint8(place)
    place++
  }
  if (bytes.getUint8(place) !== 0x2c) throw new RangeError('no frame')
  const end = (offset: number, size: number) =>
    bytes.getUint16(place + offset, true) + bytes.getUint16(place + size, true)
  return { width: Math.max(width, end(1, 5)), height: Math.max(height, end(3, 7)) }
}

function ofWebp(bytes: DataView): PictureSize | null {
  if (starts(bytes, 12, 'VP8X')) {
    const three = (place: number) => bytes.getUint16(place, true) + (bytes.getUint8(place + 2) << 16) + 1
    return { width: three(24), height: three(27) }
  }
  if (starts(bytes, 12, 'VP8L')) {
    const bits = bytes.getUint32(21, true)
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
  }
  if (!starts(bytes, 12, 'VP8 ')) return null
  return { width: bytes.getUint16(26, true) & 0x3fff, height: bytes.getUint16(28, true) & 0x3fff }
}

/** Each part says its size; the picture is the largest of them. */
function ofAvif(bytes: DataView): PictureSize | null {
  let largest: PictureSize | null = null
  for (let place = 8; place + 16 <= bytes.byteLength; place++) {
    if (!starts(bytes, place, 'ispe')) continue
    const size = at(bytes, place + 8, place + 12)
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size
  }
  return largest
}

/** Segment by segment up to the frame, past previews and profiles. */
async function ofJpeg(picture: Blob): Promise<PictureSize | null> {
  for (let place = 2; place < farthestByte; ) {
    const segment = await bytesOf(picture, place, 9)
    if (segment.getUint8(0) !== 0xff) return null
    const marker = segment.getUint8(1)
    // Filling, and markers that stand alone.
    if (marker === 0xff) {
      place++
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { width: segment.getUint16(7), height: segment.getUint16(5) }
    place += marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8) ? 2 : 2 + segment.getUint16(2)
  }
  return null
}

async function bytesOf(picture: Blob, from: number, length: number): Promise<DataView> {
  return new DataView(await picture.slice(from, from + length).arrayBuffer())
}

function starts(bytes: DataView, place: number, text: string): boolean {
  if (place + text.length > bytes.byteLength) return false
  for (let i = 0; i < text.length; i++) if (bytes.getUint8(place + i) !== text.charCodeAt(i)) return false
  return true
}
