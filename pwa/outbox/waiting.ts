/**
 * A message that has not arrived yet, as a record of the vault. It goes from `queued` over `encrypted` to `sent`, and is forgotten
 * when a sync brings it back; or it is `failed`, and a person decides.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { ItemProblem } from '../sync/timeline-item.ts'

export interface Waiting {
  /** Its place in the order of all, and its record's id. */
  readonly order: number
  readonly txnId: string
  readonly roomId: string
  readonly type: string
  /** As it was written. Of a file: without the addresses that its uploads will have. */
  readonly content: JsonObject
  readonly ts: number
  /** Written for an encrypted room: it never leaves in the clear, whatever the room is said to be by then (attack 19). */
  readonly forEncrypted: boolean
  /** What leaves: made by the commit that moved the ratchet, so that it is never made twice. */
  readonly sealed: { readonly type: string; readonly content: JsonObject } | null
  readonly files: readonly WaitingFile[]
  /** Somebody stopped its upload; those behind it go on. */
  readonly paused: boolean
  /** A redaction: no content but a target, which is a transaction id as long as the target itself waits. */
  readonly redacts: string | null
  readonly eventId: string | null
  readonly failure: ItemProblem | null
}

/** Bytes that have to be uploaded first; they lie in the vault, see waiting-files.ts. */
export interface WaitingFile {
  readonly fileId: string
  readonly mimetype: string
  readonly size: number
  readonly pieces: number
  readonly part: 'file' | 'thumbnail'
  /** Once it is uploaded: its `EncryptedFile`, or its address where it is not encrypted. */
  readonly uploaded: JsonObject | string | null
}

export const outboxCollection = 'outbox'

export function outboxId(order: number): string {
  return String(order).padStart(16, '0')
}

/** The content with what its uploads gave. */
export function contentOf({ content, files }: Pick<Waiting, 'content' | 'files'>): JsonObject {
  return files.reduce(
    (whole, { part, uploaded }) => (uploaded === null ? whole : withUpload(whole, part, uploaded)),
    content,
  )
}

/** No server has this name: files that wait have addresses like all others, for this device alone. */
const waitingServer = 'waiting.invalid'

/** The content as this device shows it before everything was uploaded. */
export function shownContent({ content, files }: Pick<Waiting, 'content' | 'files'>): JsonObject {
  return files.reduce(
    (whole, { part, uploaded, fileId }) =>
      withUpload(whole, part, uploaded ?? `mxc://${waitingServer}/${fileId}`),
    content,
  )
}

/** Null: not the address of a file that waits. */
export function waitingFileId(address: string): string | null {
  const start = `mxc://${waitingServer}/`
  return address.startsWith(start) ? address.slice(start.length) : null
}

/** Spec: client-server-api#mroommessage-msgtypes: `url` or `file`, and the same of the thumbnail within `info`. */
function withUpload(
  content: JsonObject,
  part: WaitingFile['part'],
  uploaded: JsonObject | string,
): JsonObject {
  const isPlain = typeof uploaded === 'string'
  if (part === 'file') return { ...content, [isPlain ? 'url' : 'file']: uploaded }
  const info = isObject(content['info']) ? content['info'] : {}
  return { ...content, info: { ...info, [isPlain ? 'thumbnail_url' : 'thumbnail_file']: uploaded } }
}
