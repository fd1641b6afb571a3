/** States as deltas: right at every point of a tree of states, and cheap however long it gets. */
import test from 'ava'
import {
  type Changes,
  emptyState,
  extend,
  nodeOf,
  removed,
  rowOf,
  type StateChain,
  stateIn,
  wholeState,
} from '../../server/rooms/state-chain.ts'
import type { Position } from '../../server/store/store.ts'

function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('a state reads as if every change had been applied in turn, on any branch', t => {
  const pick = random(7)
  const states: { chain: StateChain; model: Map<number, number> }[] = [
    { chain: emptyState, model: new Map() },
  ]
  for (let id = 1; id < 2000; id++) {
    // Mostly the newest, now and then a branch from an older one.
    const from = states[pick(10) === 0 ? pick(states.length) : states.length - 1]!
    const model = new Map(from.model)
    const changes = new Map<number, Position>()
    for (let n = pick(3); n >= 0; n--) {
      const key = pick(50)
      const isRemoved = pick(8) === 0
      changes.set(key, isRemoved ? removed : (id as Position))
      if (isRemoved) model.delete(key)
      else model.set(key, id)
    }
    states.push({ chain: extend(from.chain, id as Position, changes), model })
  }
  for (const { chain, model } of states) {
    const whole = wholeState(chain)
    t.is(whole.size, model.size)
    const keys = Array.from({ length: 50 }, (_, key) => key)
    t.true(keys.every(key => stateIn(chain, key) === (model.get(key) as Position | undefined)))
  }
})

test('a state is read from at most one row for each bit of its depth, and survives its rows', t => {
  let chain: StateChain = emptyState
  let written = 0
  const count = 4096
  for (let id = 1; id <= count; id++) {
    const changes: Changes = new Map([[id, id as Position]])
    chain = extend(chain, id as Position, changes)
    written += chain[0]!.changes.size
    t.true(chain.length <= Math.ceil(Math.log2(id + 1)))
    if (id % 100 === 0) t.deepEqual(nodeOf(id as Position, rowOf(chain)), chain[0]!)
  }
  // All keys differ: the worst case. (log2 n)/2 + 1 entries a change.
  t.true(written / count <= 1 + Math.log2(count) / 2)
  t.is(wholeState(chain).size, count)
})
