/**
 * One picture made smaller. Runs in the worker process only: the bytes come from strangers, the decoders are C.
 *
 * Only four formats are ever given to a decoder, told by their first bytes; every other loader is blocked. The
 * number of pixels is bounded before anything is decoded, frames of animations count. What comes out carries no
 * metadata (no place, no camera).
 *
 * Spec: client-server-api#thumbnails
 */
import { open } from 'node:fs/promises'
import sharp, { type Metadata } from 'sharp'

export interface ThumbnailRequest {
  /** Of a file that this process may read. */
  readonly path: string
  readonly width: number
  readonly height: number
  readonly method: 'crop' | 'scale'
  readonly animated: boolean
}

export type ThumbnailAnswer =
  | { readonly kind: 'made'; readonly bytes: Uint8Array; readonly contentType: string }
  /** It is not larger than what was asked for, and a picture of this type. */
  | { readonly kind: 'original'; readonly contentType: string }
  | { readonly kind: 'refused'; readonly reason: 'format' | 'too-large' | 'broken' }

/** What media needs of the worker process. */
export interface Thumbnailer {
  thumbnail(request: ThumbnailRequest): Promise<ThumbnailAnswer>
}

/** 50 megapixels are 200 MB when decoded. */
const maxPixels = 50_000_000
const maxFrames = 200

sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegFile',
    'VipsForeignLoadPngFile',
    'VipsForeignLoadWebpFile',
    'VipsForeignLoadNsgifFile',
  ],
})
sharp.cache(false)
sharp.concurrency(1)

export async function makeThumbnail(request: ThumbnailRequest): Promise<ThumbnailAnswer> {
  const { path, width, height, method } = request
  const contentType = sniffPicture(await firstBytes(path))
  if (contentType === null) return { kind: 'refused', reason: 'format' }
  const options = { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true } as const
  try {
    const found = await sharp(path, { ...options, pages: 1 }).metadata()
    const frames = found.pages ?? 1
    const animated = request.animated && frames > 1 && frames <= maxFrames
    const size = upright(found)
    if (size.width * size.height * (animated ? frames : 1) > maxPixels) {
      return { kind: 'refused', reason: 'too-large' }
    }
    const isSmall = size.width <= width && size.height <= height
    // An animated original may pass as it is only where animation was asked for.
    if (isSmall && (frames === 1 || request.animated)) return { kind: 'original', contentType }
    const picture = sharp(path, { ...options, pages: animated ? -1 : 1 })
      .autoOrient()
      .resize({
        width,
        height,
        fit: method === 'crop' ? 'cover' : 'inside',
        withoutEnlargement: true,
      })
    if (animated) return made(await picture.webp({ quality: 75 }).toBuffer(), 'image/webp')
    if (found.hasAlpha) return made(await picture.png().toBuffer(), 'image/png')
    return made(await picture.jpeg({ quality: 80 }).toBuffer(), 'image/jpeg')
  } catch (error) {
    const tooMany = error instanceof Error && error.message.includes('pixel limit')
    return { kind: 'refused', reason: tooMany ? 'too-large' : 'broken' }
  }
}

function made(bytes: Uint8Array, contentType: string): ThumbnailAnswer {
  return { kind: 'made', bytes, contentType }
}

/** EXIF orientations 5 to 8 lie on their side. */
function upright(found: Metadata) {
  const height = found.pageHeight ?? found.height
  return (found.orientation ?? 1) >= 5
    ? { width: height, height: found.width }
    : { width: found.width, height }
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(16)
    const { bytesRead } = await file.read(buffer, 0, 16, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The picture format that the first bytes say, whatever the uploader called it. */
export function sniffPicture(bytes: Buffer): string | null {
  const text = bytes.toString('latin1')
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'image/gif'
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'image/webp'
  return null
}
