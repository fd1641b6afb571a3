/**
 * Holes in the order of a room's timeline: an event of long ago was fetched by itself, and what lies between it and what
 * was here is not here yet.
 *
 * Numbers are kept free for what is missing: twice as many as the depths say, and some for branches. Reading stops at a
 * hole as at the beginning of what is here; it is filled from above, where events name what comes before them.
 *
 * Pure. Depths are what other servers claim: a lie makes a hole too small or too large, which costs the right order of
 * the liar's room, and nothing else.
 */
export interface TimelineGap {
  /** The orders that it lies between. */
  readonly above: number
  readonly below: number
  /** Of the event at `below`: what is deeper belongs above it. */
  readonly depth: number
}

/** The highest first. */
export type TimelineGaps = readonly TimelineGap[]

/** Depths of the events (of those that are here) whose previous events are missing from one hole. */
export interface DepthRange {
  readonly above: number
  readonly upTo: number
}

/** Orders are 52 bits; no depth that somebody claims takes more than this of them. */
const maxReserved = 2 ** 30
const spare = 1_000

/** The hole that somebody meets first who reads backwards from below this order. */
export function gapUnder(gaps: TimelineGaps, before = Number.POSITIVE_INFINITY): TimelineGap | undefined {
  return gaps.find(({ below }) => below < before - 1)
}

/** The lowest hole between these orders. */
export function gapBetween(gaps: TimelineGaps, low: number, high: number): TimelineGap | undefined {
  return gaps.findLast(({ above, below }) => below >= low && above <= high)
}

/** Of what is missing from this hole; without one, from below everything. */
export function depthsOf(gaps: TimelineGaps, gap: TimelineGap | undefined): DepthRange {
  const next = gap ? gaps.indexOf(gap) - 1 : gaps.length - 1
  return { above: gap?.depth ?? -1, upTo: gaps[next]?.depth ?? Number.POSITIVE_INFINITY }
}

/**
 * A place of its own for an event of this depth. `edges`: depths of the events here whose previous events are missing;
 * `lowest`: the lowest order given so far. null: nothing is missing where it would belong.
 */
export function openIsland(
  gaps: TimelineGaps,
  depth: number,
  edges: readonly number[],
  lowest: number,
): { readonly order: number; readonly gaps: TimelineGaps } | null {
  for (const gap of [...gaps, undefined]) {
    const { above, upTo } = depthsOf(gaps, gap)
    const upper = Math.min(...edges.filter(edge => edge > above && edge <= upTo))
    if (depth <= above || depth >= upper || upper === Number.POSITIVE_INFINITY) continue
    if (!gap) {
      const order = lowest - Math.min(maxReserved, 2 * (upper - depth)) - spare
      return { order, gaps: [...gaps, { above: lowest, below: order, depth }] }
    }
    const share = (depth - gap.depth) / (upper - gap.depth)
    const order = gap.below + Math.ceil((gap.above - gap.below) * share)
    if (order <= gap.below || order >= gap.above) return null
    const halves = [
      { above: gap.above, below: order, depth },
      { above: order, below: gap.below, depth: gap.depth },
    ]
    return { order, gaps: gaps.flatMap(each => (each === gap ? halves : [each])) }
  }
  return null
}

/** Nothing came of the event that was to stand there. */
export function closeIsland(gaps: TimelineGaps, order: number): TimelineGaps {
  const upper = gaps.find(({ below }) => below === order)
  const lower = gaps.find(({ above }) => above === order)
  const joined = upper && lower ? [{ ...lower, above: upper.above }] : []
  return gaps.flatMap(each => (each === upper ? joined : each === lower ? [] : [each]))
}

/** The hole with so many events more at its upper end; null: they have no room there. */
export function fillGap(gaps: TimelineGaps, gap: TimelineGap, count: number): TimelineGaps | null {
  const above = gap.above - count
  return above > gap.below ? gaps.map(each => (each === gap ? { ...gap, above } : each)) : null
}

/** Nothing is missing there any more. */
export function withoutGap(gaps: TimelineGaps, { below }: TimelineGap): TimelineGaps {
  return gaps.filter(gap => gap.below !== below)
}
