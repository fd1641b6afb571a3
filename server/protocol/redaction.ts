/**
 * The redaction algorithm: what of an event cannot be taken away.
 *
 * Spec: client-server-api#redactions, rooms/v10#redactions, rooms/v11#redactions. Signatures and the event id
 * cover exactly what stays, so this decides about bytes: it neither checks nor mends what it keeps.
 */
import { type EventId, parseEventId } from './ids.ts'
import { isObject, type Json, type JsonObject, memberOf } from './json.ts'
import type { KeptContent, RoomRules } from './room-versions.ts'

/** The event without what its room version lets a redaction remove. Takes any event, checked or not. */
export function redact<E extends JsonObject>(event: E, rules: RoomRules): E {
  const kept: Record<string, Json | undefined> = {}
  for (const key of rules.redaction.eventKeys) {
    const value = event[key]
    if (value !== undefined) kept[key] = value
  }
  const { type, content } = event
  if (isObject(content)) {
    const paths = typeof type === 'string' ? rules.redaction.contentKeys.get(type) : undefined
    kept['content'] = redactContent(content, paths ?? [])
  }
  return kept as E
}

function redactContent(content: JsonObject, paths: KeptContent): JsonObject {
  if (paths === 'everything') return content
  const kept: Record<string, Json | undefined> = {}
  for (const [name, inner] of paths) {
    const value = memberOf(content, name)
    if (value === undefined) continue
    if (inner === undefined) kept[name] = value
    // The object around a kept member stays even if the member is not there; Synapse and ruma hash it so.
    else if (isObject(value)) kept[name] = redactContent(value, [[inner]])
  }
  return kept
}

/**
 * The event that a redaction is aimed at, or null where it names none that can exist.
 *
 * Spec: rooms/v11#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property
 */
export function redactedEventId(
  event: { readonly redacts?: Json; readonly content: JsonObject },
  rules: RoomRules,
): EventId | null {
  return parseEventId(rules.redactsInContent ? memberOf(event.content, 'redacts') : event.redacts)
}
