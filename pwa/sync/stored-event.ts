/**
 * An event as a timeline keeps it: decrypted, or as it came where it could not be read. A JSON value, sealed by the vault.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { RoomEventResult, Shield } from '../e2ee/room-decryption.ts'
import type { ClientEvent } from './sync-answer.ts'

export interface StoredEvent {
  readonly eventId: string
  readonly sender: string
  readonly ts: number
  /** Of the plaintext, or `m.room.encrypted`. */
  readonly type: string
  readonly stateKey: string | null
  readonly content: JsonObject
  readonly previousContent: JsonObject | null
  /** The transaction of ours that made it. */
  readonly txnId: string | null
  readonly redactedBecause: { readonly sender: string; readonly reason: string | null } | null
  readonly encrypted: boolean
  readonly shield: Shield
  /** The session of a message whose author's device is not vouched for: see doubts.ts. */
  readonly doubted?: string | null
  readonly keyGivenBy: string | null
  readonly unreadable: {
    readonly code: string
    readonly withheld: string | null
    readonly sessionId: string | null
  } | null
}

/** Is there anything to hand to the engine? */
export function isEncrypted({ type, stateKey, content }: ClientEvent): boolean {
  return type === 'm.room.encrypted' && stateKey === null && content['ciphertext'] !== undefined
}

export function storedEvent(event: ClientEvent, result: RoomEventResult | null): StoredEvent {
  const { unsigned } = event
  const because = unsigned['redacted_because'] as JsonObject | undefined
  const reason = (because?.['content'] as JsonObject | undefined)?.['reason']
  const isRead = result?.kind === 'decrypted'
  return {
    eventId: event.eventId,
    sender: event.sender,
    ts: event.ts,
    type: isRead ? result.type : event.type,
    stateKey: event.stateKey,
    content: isRead ? contentOf(event, result.content) : event.content,
    previousContent: isObject(unsigned['prev_content']) ? unsigned['prev_content'] : null,
    txnId: typeof unsigned['transaction_id'] === 'string' ? unsigned['transaction_id'] : null,
    redactedBecause:
      typeof because?.['sender'] === 'string'
        ? { sender: because['sender'], reason: typeof reason === 'string' ? reason : null }
        : null,
    encrypted: event.type === 'm.room.encrypted',
    shield: isRead ? result.shield : 'none',
    ...(isRead && mayChange.has(result.shield) && { doubted: result.sessionId }),
    keyGivenBy: isRead ? result.givenBy : null,
    unreadable:
      result?.kind === 'failed'
        ? { code: result.code, withheld: result.withheld ?? null, sessionId: result.sessionId }
        : null,
  }
}

/** What more knowledge of a person's devices may lift; how a key came here stays as it was. */
const mayChange: ReadonlySet<Shield> = new Set(['identity-changed', 'unsigned-device', 'unknown-device'])

/** Spec: client-server-api#mroomencrypted: the relation stands outside, where servers aggregate by it; inside it counts if it is there. */
function contentOf(event: ClientEvent, content: JsonObject): JsonObject {
  const outside = event.content['m.relates_to']
  return content['m.relates_to'] === undefined && outside !== undefined
    ? { ...content, 'm.relates_to': outside }
    : content
}

// ── relations ──────────────────────────────────────────────────────────────────────────────────────

export type Relation =
  | { readonly kind: 'edit'; readonly to: string; readonly content: JsonObject }
  | { readonly kind: 'reaction'; readonly to: string; readonly key: string }
  | { readonly kind: 'thread'; readonly to: string; readonly replyTo: string | null }
  | { readonly kind: 'reply'; readonly to: string }

const maxReactionKey = 100

/** Spec: client-server-api#forming-relationships-between-events */
export function relationOf(event: Pick<StoredEvent, 'type' | 'stateKey' | 'content'>): Relation | null {
  const relation = event.content['m.relates_to'] as JsonObject | undefined
  if (typeof relation !== 'object' || relation === null || event.stateKey !== null) return null
  const { rel_type: type, event_id: to, key } = relation
  const inReplyTo = (relation['m.in_reply_to'] as JsonObject | undefined)?.['event_id']
  const replyTo = typeof inReplyTo === 'string' ? inReplyTo : null
  if (typeof to === 'string') {
    if (type === 'm.annotation' && event.type === 'm.reaction' && typeof key === 'string' && key !== '') {
      return { kind: 'reaction', to, key: key.slice(0, maxReactionKey) }
    }
    if (type === 'm.replace') {
      const content = event.content['m.new_content']
      return typeof content === 'object' && content !== null && !Array.isArray(content)
        ? { kind: 'edit', to, content: content as JsonObject }
        : null
    }
    if (type === 'm.thread') {
      const isFallback = relation['is_falling_back'] === true
      return { kind: 'thread', to, replyTo: isFallback ? null : replyTo }
    }
  }
  return replyTo === null ? null : { kind: 'reply', to: replyTo }
}
