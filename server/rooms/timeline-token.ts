/**
 * Pagination tokens: a place between two events of a room.
 *
 * `t123` lies just above position 123: backwards from it comes 123 itself, forwards what follows. `/sync`
 * tokens are accepted in the same places, so they begin with the room position as well (`s123_…`).
 * Spec: client-server-api#pagination: tokens are opaque to clients.
 */
import type { Position } from '../store/store.ts'

export function timelineToken(justAbove: Position): string {
  return `t${justAbove}`
}

/** The token below this event: from here backwards the event itself is no longer returned. */
export function tokenBelow(position: Position): string {
  return `t${position - 1}`
}

const pattern = /^[ts]([0-9]{1,16})(?:_.*)?$/s

/** null: this is no token of ours. */
export function parseTimelineToken(text: string): Position | null {
  const match = pattern.exec(text)
  if (!match) return null
  const position = Number(match[1])
  return Number.isSafeInteger(position) ? (position as Position) : null
}
