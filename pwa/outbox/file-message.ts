/**
 * The content of a message that carries a file. Events have no fractions: every number is whole.
 *
 * Spec: client-server-api#mroommessage-msgtypes; voice: MSC3245, MSC1767
 */
import type { JsonObject } from '#protocol/json.ts'

export interface FileDescription {
  readonly name: string
  readonly mimetype: string
  readonly size: number
  readonly caption?: string | undefined
  readonly threadRoot?: string | undefined
  readonly replyTo?: string | undefined
  readonly image?: { readonly width: number; readonly height: number } | undefined
  readonly thumbnail?:
    | { readonly width: number; readonly height: number; readonly mimetype: string; readonly size: number }
    | undefined
  readonly durationMs?: number | undefined
  readonly waveform?: readonly number[] | undefined
}

export function fileContent(file: FileDescription): JsonObject {
  const { name, caption, mimetype, size, image, thumbnail, durationMs, waveform } = file
  return {
    msgtype: msgtypeOf(file),
    // Spec: #media-captions: where there is a caption, the name stands beside it.
    body: caption ?? name,
    filename: name,
    info: {
      mimetype,
      size,
      ...(image && { w: Math.round(image.width), h: Math.round(image.height) }),
      ...(durationMs !== undefined && { duration: Math.round(durationMs) }),
      ...(thumbnail && {
        thumbnail_info: {
          w: Math.round(thumbnail.width),
          h: Math.round(thumbnail.height),
          mimetype: thumbnail.mimetype,
          size: thumbnail.size,
        },
      }),
    },
    ...(waveform && {
      'org.matrix.msc3245.voice': {},
      'org.matrix.msc1767.audio': { duration: Math.round(durationMs ?? 0), waveform: waveform.map(loudness) },
    }),
    ...relation(file),
    'm.mentions': {},
  }
}

/** MSC3246: 0 to 1,024. */
function loudness(value: number): number {
  return Math.round(Math.min(1024, Math.max(0, value)))
}

function msgtypeOf({ mimetype, image, waveform }: FileDescription): string {
  // What the page could measure is a picture that a browser can show.
  if (mimetype.startsWith('image/') && image && mimetype !== 'image/svg+xml') return 'm.image'
  if (mimetype.startsWith('video/')) return 'm.video'
  if (mimetype.startsWith('audio/') || waveform) return 'm.audio'
  return 'm.file'
}

function relation({ threadRoot, replyTo }: FileDescription): JsonObject {
  if (threadRoot !== undefined) {
    const inReplyTo = { event_id: replyTo ?? threadRoot }
    return {
      'm.relates_to': {
        rel_type: 'm.thread',
        event_id: threadRoot,
        'm.in_reply_to': inReplyTo,
        is_falling_back: replyTo === undefined,
      },
    }
  }
  return replyTo === undefined ? {} : { 'm.relates_to': { 'm.in_reply_to': { event_id: replyTo } } }
}
