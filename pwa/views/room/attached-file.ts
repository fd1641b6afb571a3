/**
 * What a message says of its attachment, held against what we can do with it. Pure.
 *
 * Everything in it was written by somebody else. A type that can carry a program (HTML, SVG, PDF …) is never shown from our
 * origin, only saved. Spec: client-server-api#mroommessage-msgtypes, MSC3245 (voice messages)
 */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'

/** Where its bytes are: encrypted (`file`), or not (`mxc`). */
export type FileSource = { readonly file: JsonObject } | { readonly mxc: string }

export interface AttachedFile {
  readonly as: 'image' | 'video' | 'audio' | 'voice' | 'file' | 'sticker'
  /** As the sender named it; null: not named. */
  readonly name: string | null
  /** Null: damaged. */
  readonly source: FileSource | null
  /** Lower case, without parameters; empty where nothing is said. */
  readonly mime: string
  readonly sizeBytes: number | null
  readonly width: number | null
  readonly height: number | null
  readonly durationMs: number | null
  /** 0 to 1. */
  readonly waveform: readonly number[]
  readonly thumbnail: { readonly source: FileSource; readonly mime: string } | null
}

/** What browsers draw or play, and cannot run. */
const pictures = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'])
const films = new Set(['video/mp4', 'video/webm', 'video/ogg', 'video/quicktime'])
const sounds = new Set([
  'audio/mpeg',
  'audio/mp4',
  'audio/ogg',
  'audio/webm',
  'audio/wav',
  'audio/x-wav',
  'audio/flac',
  'audio/aac',
])

const kinds: Record<string, AttachedFile['as']> = {
  'm.image': 'image',
  'm.video': 'video',
  'm.audio': 'audio',
  'm.file': 'file',
  'm.sticker': 'sticker',
}
const mostBars = 120
const farthestPixels = 100_000

/** Null: this message has no attachment. `type` of a sticker is that of its event. */
export function attachedFile(type: string, content: JsonObject): AttachedFile | null {
  const kind = type === 'm.sticker' ? type : String(content['msgtype'])
  if (!Object.hasOwn(kinds, kind)) return null
  const info = isObject(content['info']) ? content['info'] : {}
  const mime = mimeOf(info['mimetype'])
  const as = content['org.matrix.msc3245.voice'] !== undefined && kind === 'm.audio' ? 'voice' : kinds[kind]!
  const thumbnail = sourceOf(info['thumbnail_file'], info['thumbnail_url'])
  const thumbnailInfo = isObject(info['thumbnail_info']) ? info['thumbnail_info'] : {}
  const audio = content['org.matrix.msc1767.audio']
  return {
    as: isPlayable(as, mime) ? as : 'file',
    name: text(content['filename']) ?? text(content['body']),
    source: sourceOf(content['file'], content['url']),
    mime,
    sizeBytes: number(info['size']),
    width: pixels(info['w']),
    height: pixels(info['h']),
    durationMs: number(info['duration']) ?? (isObject(audio) ? number(audio['duration']) : null),
    waveform: isObject(audio) ? bars(audio['waveform']) : [],
    thumbnail: thumbnail && { source: thumbnail, mime: mimeOf(thumbnailInfo['mimetype']) },
  }
}

/** The words that were sent with a file: `body`, where `filename` names the file. */
export function hasCaption(content: JsonObject): boolean {
  return (
    typeof content['filename'] === 'string' &&
    typeof content['body'] === 'string' &&
    content['body'] !== content['filename'] &&
    content['body'].trim() !== ''
  )
}

function isPlayable(as: AttachedFile['as'], mime: string): boolean {
  switch (as) {
    case 'image':
    case 'sticker':
      return pictures.has(mime)
    case 'video':
      return films.has(mime)
    case 'audio':
    case 'voice':
      return sounds.has(mime)
    case 'file':
      return true
  }
}

/** Under which type the bytes are shown. What may not be shown is bytes. */
export function shownType(mime: string): string {
  return pictures.has(mime) || films.has(mime) || sounds.has(mime) ? mime : 'application/octet-stream'
}

export function isPicture(mime: string): boolean {
  return pictures.has(mime)
}

/** Could it run, were it opened as a page? Said beside it. */
export function isActive(file: AttachedFile): boolean {
  return /svg|html|xml|javascript|wasm|x-msdownload|x-sh$/.test(file.mime)
}

/** `PDF`, for the square beside the name: of the name, else of the type. */
export function extensionOf({ name, mime }: Pick<AttachedFile, 'name' | 'mime'>): string {
  const ending =
    /\.([\p{L}\p{N}]{1,5})$/u.exec(name ?? '')?.[1] ?? /\/(?:x-)?([a-z0-9]{1,5})$/.exec(mime)?.[1]
  return ending?.toUpperCase() ?? '•'
}

/** The size that a picture takes, known before it is here, so that nothing jumps. */
export function shownSize(
  { width, height }: { readonly width: number | null; readonly height: number | null },
  box: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  if (!width || !height) return { width: Math.round((box.height * 4) / 3), height: box.height }
  const scale = Math.min(1, box.width / width, box.height / height)
  return { width: Math.max(24, Math.round(width * scale)), height: Math.max(24, Math.round(height * scale)) }
}

function sourceOf(file: Json | undefined, url: Json | undefined): FileSource | null {
  if (isObject(file) && isMxc(file['url'])) return { file }
  return isMxc(url) ? { mxc: url } : null
}

function isMxc(value: unknown): value is string {
  return typeof value === 'string' && /^mxc:\/\/[^/?#\s]+\/[\w-]+$/.test(value)
}

function mimeOf(value: Json | undefined): string {
  return typeof value === 'string' ? value.split(';')[0]!.trim().toLowerCase().slice(0, 100) : ''
}

/** Spec: MSC3246: 0 to 1,024. */
function bars(value: Json | undefined): number[] {
  if (!Array.isArray(value)) return []
  return value
    .slice(0, mostBars)
    .map(each => (typeof each === 'number' ? Math.min(1, Math.max(0, each / 1024)) : 0))
}

function pixels(value: Json | undefined): number | null {
  const size = number(value)
  return size !== null && size >= 1 && size <= farthestPixels ? size : null
}

function number(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null
}
