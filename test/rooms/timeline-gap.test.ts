/** Holes in a timeline's order: where an event of long ago goes, and how what lies above it finds its place. */
import test from 'ava'
import fc from 'fast-check'
import {
  closeIsland,
  depthsOf,
  fillGap,
  gapBetween,
  gapUnder,
  openIsland,
  type TimelineGaps,
  withoutGap,
} from '../../server/rooms/timeline-gap.ts'

/** Our oldest event has depth 5,000 and the lowest order; nothing before it is here. */
const first = openIsland([], 2_000, [5_000], 0)!
const [hole] = first.gaps

test('below everything numbers are kept free for what is missing', t => {
  t.deepEqual(first, { order: -7_000, gaps: [{ above: 0, below: -7_000, depth: 2_000 }] })
  t.deepEqual(openIsland([], 1, [2 ** 50], 0)!.order, -(2 ** 30) - 1_000)
})

test('reading backwards meets a hole from above it and from within, not from below', t => {
  for (const place of [undefined, 100, 0, -1, -6_998]) t.is(gapUnder(first.gaps, place), hole, `${place}`)
  for (const place of [-6_999, -7_000, -8_000]) t.is(gapUnder(first.gaps, place), undefined, `${place}`)
  t.is(gapBetween(first.gaps, -7_000, 1), hole)
  t.is(gapBetween(first.gaps, -6_999, 1), undefined)
  t.is(gapBetween(first.gaps, -9_000, -7_000), undefined)
})

test('what is missing belongs to the hole below the event that needs it', t => {
  t.deepEqual(depthsOf(first.gaps, hole), { above: 2_000, upTo: Infinity })
  t.deepEqual(depthsOf(first.gaps, undefined), { above: -1, upTo: 2_000 })
})

test('an event within a hole splits it, one below it goes further down', t => {
  const within = openIsland(first.gaps, 3_500, [5_000, 2_000], -7_000)!
  t.deepEqual(within.order, -3_500)
  t.deepEqual(within.gaps, [
    { above: 0, below: -3_500, depth: 3_500 },
    { above: -3_500, below: -7_000, depth: 2_000 },
  ])
  t.deepEqual(closeIsland(within.gaps, -3_500), first.gaps)
  const below = openIsland(first.gaps, 1_000, [5_000, 2_000], -7_000)!
  t.deepEqual(below.gaps.length, 2)
  t.deepEqual(closeIsland(below.gaps, below.order), first.gaps)
})

test('where nothing is missing there is no place', t => {
  t.is(openIsland([], 6_000, [5_000], 0), null)
  t.is(openIsland([], 5_000, [5_000], 0), null)
  t.is(openIsland([], 10, [], 0), null)
  t.is(openIsland(first.gaps, 3_000, [2_000], -7_000), null)
})

test('a hole is filled from above until it has no room left', t => {
  const filled = fillGap(first.gaps, hole!, 100)!
  t.deepEqual(filled, [{ above: -100, below: -7_000, depth: 2_000 }])
  t.is(fillGap(first.gaps, hole!, 7_000), null)
  t.deepEqual(withoutGap(filled, filled[0]!), [])
})

test('whatever is fetched in whatever order: deeper stands higher, no place is given twice, and holes lie apart', t => {
  const depth = fc.integer({ min: 1, max: 4_999 })
  fc.assert(
    fc.property(fc.array(depth, { minLength: 1, maxLength: 30 }), (depths: number[]) => {
      let gaps: TimelineGaps = []
      let lowest = 0
      const placed = new Map<number, number>()
      for (const each of depths) {
        const island = openIsland(gaps, each, [5_000, ...placed.keys()], lowest)
        if (placed.has(each)) t.is(island, null)
        if (!island) continue
        gaps = island.gaps
        lowest = Math.min(lowest, island.order)
        placed.set(each, island.order)
      }
      const orders = [...placed].sort(([a], [b]) => a - b).map(([, order]) => order)
      for (let i = 1; i < orders.length; i++) t.true(orders[i]! > orders[i - 1]!)
      for (const [i, { above, below }] of gaps.entries()) {
        t.true(above > below)
        if (i > 0) t.true(gaps[i - 1]!.below >= above)
      }
      t.is(gaps.length, placed.size)
    }),
  )
})
