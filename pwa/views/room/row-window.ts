/**
 * Which of the rows are in the document: enough to fill the screen and a bit beyond, never thousands. Pure.
 *
 * The scrolled height is that of the rows that are there; at an edge the window slides by a few rows, and the view keeps the
 * row that is looked at in its place. So no height has to be guessed.
 */
export interface RowWindow {
  readonly start: number
  /** The first row that is not in it. */
  readonly end: number
}

interface Keyed {
  readonly key: string
}

/** Rows at first, by a slide, and at most. */
export const firstRows = 50
export const slideRows = 16
export const mostRows = 90

export function windowAtEnd(count: number): RowWindow {
  return { start: Math.max(0, count - firstRows), end: count }
}

export function windowAround(index: number, count: number): RowWindow {
  const start = Math.max(0, Math.min(index - firstRows / 2, count - firstRows))
  return { start, end: Math.min(count, start + firstRows) }
}

export function slidUp({ start, end }: RowWindow): RowWindow {
  const to = Math.max(0, start - slideRows)
  return { start: to, end: Math.min(end, to + mostRows) }
}

export function slidDown({ start, end }: RowWindow, count: number): RowWindow {
  const to = Math.min(count, end + slideRows)
  return { start: Math.max(start, to - mostRows), end: to }
}

/** The same rows after the list changed around and between them. What came at the end joins where the end was in it. */
export function realigned(window: RowWindow, before: readonly Keyed[], now: readonly Keyed[]): RowWindow {
  const places = new Map(now.map((row, i) => [row.key, i]))
  const inside = before.slice(window.start, window.end)
  const first = inside.findIndex(row => places.has(row.key))
  if (first === -1) return windowAtEnd(now.length)
  const last = inside.findLast(row => places.has(row.key))!
  const start =
    first === 0 ? places.get(inside[0]!.key)! : Math.max(0, places.get(inside[first]!.key)! - first)
  const reachedEnd = window.end === before.length
  const end = reachedEnd ? now.length : places.get(last.key)! + 1
  // Where much came at once, the end is what counts.
  return { start: reachedEnd ? Math.max(start, end - mostRows) : start, end: Math.min(end, start + mostRows) }
}
