/**
 * What an event says it relates to. Spec: client-server-api#forming-relationships-between-events
 */
import type { EventId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'

export interface Relation {
  readonly parent: EventId
  readonly relType: string
  readonly key?: string
}

/** Spec: client-server-api#definition-mrelates_to. null: this event relates to nothing (a rich reply has no rel_type). */
export function relationOf(content: JsonObject): Relation | null {
  const relatesTo = content['m.relates_to']
  if (!isObject(relatesTo)) return null
  const { event_id: parent, rel_type: relType, key } = relatesTo
  if (typeof parent !== 'string' || typeof relType !== 'string' || relType === '') return null
  // Longer than any event id or any sensible name: not worth a row.
  if (parent.length > 255 || relType.length > 255) return null
  return {
    parent: parent as EventId,
    relType,
    ...(typeof key === 'string' && key.length <= 1024 ? { key } : {}),
  }
}
