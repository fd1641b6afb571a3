/**
 * Pagination tokens: a place between two events of a room.
 *
 * `t123` lies just above the event whose `order` is 123: backwards from it comes that event itself, forwards what
 * follows. `/sync` tokens are accepted in the same places, so they begin with the room position as well (`s123_…`).
 * Spec: client-server-api#pagination: tokens are opaque to clients.
 */
export function timelineToken(justAbove: number): string {
  return `t${justAbove}`
}

/** The token below this event: from here backwards the event itself is no longer returned. */
export function tokenBelow(order: number): string {
  return `t${order - 1}`
}

/** Above every order that there can be, and still one that the store's keys can say. */
export const maxOrder = 2 ** 52 - 1

const pattern = /^[ts](-?[0-9]{1,16})(?:_.*)?$/s

/** null: this is no token of ours. */
export function parseTimelineToken(text: string): number | null {
  const match = pattern.exec(text)
  if (!match) return null
  const order = Number(match[1])
  return Math.abs(order) <= maxOrder ? order : null
}
