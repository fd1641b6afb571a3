/** What the page makes of a file before the worker seals it: its size in pixels, a small picture, its length. */
import type { NewFile } from '../../worker/calls.ts'
import { isDrawable } from '../parts/picture-size.ts'
import { isPicture } from './attached-file.ts'

const thumbnailBox = 800
const thumbnailFromBytes = 200_000
/** A film that says nothing by then has no picture. */
const probeMs = 5000

export type Prepared = Pick<NewFile, 'thumbnail' | 'image' | 'durationMs'>

/** Never fails: a file that cannot be looked at is sent as it is. */
export async function prepare(file: File): Promise<Prepared> {
  try {
    if (isPicture(file.type)) return await ofPicture(file)
    if (file.type.startsWith('video/')) return await ofFilm(file)
    if (file.type.startsWith('audio/')) return { durationMs: await lengthOf(file) }
  } catch {
    // Damaged, too large to be drawn, or of a kind that this browser does not know.
  }
  return {}
}

async function ofPicture(file: File): Promise<Prepared> {
  if (!(await isDrawable(file))) return {}
  const picture = await createImageBitmap(file)
  try {
    const image = { width: picture.width, height: picture.height }
    const isSmall = file.size < thumbnailFromBytes || file.type === 'image/gif'
    return isSmall ? { image } : { image, thumbnail: await smaller(picture, image) }
  } finally {
    picture.close()
  }
}

async function ofFilm(file: File): Promise<Prepared> {
  const video = document.createElement('video')
  const address = URL.createObjectURL(file)
  try {
    video.muted = true
    video.src = address
    await heard(video, 'loadeddata')
    const image = { width: video.videoWidth, height: video.videoHeight }
    const durationMs = Number.isFinite(video.duration) ? Math.round(video.duration * 1000) : 0
    if (image.width === 0) return {}
    return { image, thumbnail: await smaller(video, image), ...(durationMs > 0 && { durationMs }) }
  } finally {
    video.removeAttribute('src')
    URL.revokeObjectURL(address)
  }
}

async function lengthOf(file: File): Promise<number> {
  const audio = new Audio()
  const address = URL.createObjectURL(file)
  try {
    audio.src = address
    await heard(audio, 'loadedmetadata')
    if (!Number.isFinite(audio.duration)) throw new RangeError('a length without end')
    return Math.round(audio.duration * 1000)
  } finally {
    audio.removeAttribute('src')
    URL.revokeObjectURL(address)
  }
}

async function smaller(
  from: CanvasImageSource,
  { width, height }: { width: number; height: number },
): Promise<NonNullable<Prepared['thumbnail']>> {
  const scale = Math.min(1, thumbnailBox / Math.max(width, height))
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(width * scale)),
    Math.max(1, Math.round(height * scale)),
  )
  canvas.getContext('2d')!.drawImage(from, 0, 0, canvas.width, canvas.height)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 })
  return { blob, width: canvas.width, height: canvas.height }
}

function heard(element: HTMLMediaElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RangeError('nothing came')), probeMs)
    element.addEventListener(event, () => {
      clearTimeout(timer)
      resolve()
    })
    element.addEventListener('error', () => {
      clearTimeout(timer)
      reject(new RangeError('not to be read'))
    })
  })
}
