/**
 * A message that has not arrived yet, as a record of the vault. It goes from `queued` over `encrypted` to `sent`, and is forgotten
 * when a sync brings it back; or it is `failed`, and a person decides.
 */
import type { JsonObject } from '#protocol/json.ts'
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
  /** A redaction: no content but a target. */
  readonly redacts: string | null
  readonly eventId: string | null
  readonly failure: ItemProblem | null
}

/** Bytes that have to be uploaded first; they lie in the vault as `outbox-file` records. */
export interface WaitingFile {
  readonly fileId: string
  readonly mimetype: string
  readonly size: number
  readonly pieces: number
  /** Where its address goes: `['file']`, or `['info', 'thumbnail_file']`. */
  readonly place: readonly string[]
  /** Once it is uploaded: what stands at that place. */
  readonly uploaded: JsonObject | string | null
}

export function orderId(order: number): string {
  return String(order).padStart(16, '0')
}

/** The content with what its uploads gave. */
export function contentOf({ content, files }: Waiting): JsonObject {
  return files.reduce(
    (whole, { place, uploaded }) => (uploaded === null ? whole : put(whole, place, uploaded)),
    content,
  )
}

function put(object: JsonObject, [name, ...rest]: readonly string[], value: JsonObject | string): JsonObject {
  if (name === undefined) return object
  const inner = object[name]
  const next = rest.length === 0 ? value : put((inner ?? {}) as JsonObject, rest, value)
  return { ...object, [name]: next }
}
