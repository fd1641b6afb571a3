/**
 * Room states as deltas with a bounded cost: what one state holds is read from O(log n) rows, and a change adds
 * O(log n) entries on average, however long the room lives.
 *
 * Snapshots form a tree by their parent; the one at depth n stores everything that changed since its ancestor at
 * depth n − (lowest bit of n), as in a Fenwick tree. So a state is the changes of its chain, the nearest first: at
 * most one snapshot for each bit of the depth. A snapshot's id is a position: that of the state event that
 * made it, or one of its own where several states were resolved into one.
 *
 * Pure. State keys are the room's interned numbers; `removed` says that the state has the key no longer, which
 * only state resolution can bring about.
 */
import type { StateSnapshotRow } from '../store/catalogue.ts'
import type { Position } from '../store/store.ts'

export const removed = 0 as Position

export type Changes = ReadonlyMap<number, Position>

export interface StateNode {
  readonly id: Position
  readonly depth: number
  /** Since the node after it in the chain. */
  readonly changes: Changes
}

/** A state: its own node, then those to read after it. Empty: the state of a room before its create event. */
export type StateChain = readonly StateNode[]

export const emptyState: StateChain = []

export function chainId(chain: StateChain): Position {
  return chain[0]?.id ?? removed
}

/** The state with these changes on top. Only its first node is new and has to be written. */
export function extend(chain: StateChain, id: Position, changes: Changes): StateChain {
  const depth = (chain[0]?.depth ?? 0) + 1
  const since = depth - lowestBit(depth)
  const merged = new Map(changes)
  let next = 0
  while (next < chain.length && chain[next]!.depth > since) {
    for (const [key, position] of chain[next]!.changes) if (!merged.has(key)) merged.set(key, position)
    next++
  }
  return [{ id, depth, changes: merged }, ...chain.slice(next)]
}

export function stateIn(chain: StateChain, key: number): Position | undefined {
  for (const { changes } of chain) {
    const position = changes.get(key)
    if (position !== undefined) return position === removed ? undefined : position
  }
  return undefined
}

export function wholeState(chain: StateChain): Map<number, Position> {
  const state = new Map<number, Position>()
  for (const { changes } of chain) {
    for (const [key, position] of changes) if (!state.has(key)) state.set(key, position)
  }
  for (const [key, position] of state) if (position === removed) state.delete(key)
  return state
}

export function rowOf(chain: StateChain): StateSnapshotRow {
  const [node, ...rest] = chain
  const changes: number[] = []
  for (const [key, position] of node!.changes) changes.push(key, position)
  return { depth: node!.depth, chain: rest.map(({ id }) => id), changes }
}

export function nodeOf(id: Position, row: StateSnapshotRow): StateNode {
  const changes = new Map<number, Position>()
  for (let i = 0; i < row.changes.length; i += 2) {
    changes.set(row.changes[i]!, row.changes[i + 1] as Position)
  }
  return { id, depth: row.depth, changes }
}

function lowestBit(n: number): number {
  return n & -n
}
