import test from 'ava'
import fc from 'fast-check'
import type { EventId } from '../../server/protocol/ids.ts'
import { authChainOf, MissingEventError, pathsBetween } from '../../server/rooms/auth-chain.ts'
import type { EventLookup, GraphEvent } from '../../server/rooms/graph-event.ts'

type Edges = Record<string, string[]>
const ids = (...names: string[]) => new Set(names as EventId[])
const sorted = (set: ReadonlySet<string>) => [...set].sort()
const graph =
  (edges: Edges): EventLookup =>
  id =>
    Object.hasOwn(edges, id)
      ? ({ eventId: id, pdu: { auth_events: edges[id] }, rejected: false } as unknown as GraphEvent)
      : undefined

const diamond = graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'], e: ['d'] })

test('the auth chain is what is reached, without where it began', t => {
  t.deepEqual(sorted(authChainOf(ids('e'), diamond)), sorted(ids('d', 'c', 'a', 'b')))
  t.deepEqual(sorted(authChainOf(ids('a'), diamond)), sorted(ids()))
  t.deepEqual(sorted(authChainOf(ids('d', 'b'), diamond)), sorted(ids('b', 'c', 'a')))
})

test('what is known already is left out and not walked', t => {
  t.deepEqual(sorted(authChainOf(ids('d'), diamond, ids('b', 'a'))), sorted(ids('c')))
})

test('an event that is not there is named', t => {
  const error = t.throws(() => authChainOf(ids('x'), diamond), { instanceOf: MissingEventError })
  t.is(error?.eventId, 'x' as EventId)
})

test('the paths between events hold all that lies on them and their ends', t => {
  t.deepEqual(sorted(pathsBetween(ids('e', 'a'), diamond)), sorted(ids('e', 'd', 'b', 'c', 'a')))
  t.deepEqual(sorted(pathsBetween(ids('e', 'b'), diamond)), sorted(ids('e', 'd', 'b')))
  t.deepEqual(sorted(pathsBetween(ids('b', 'c'), diamond)), sorted(ids()))
  t.deepEqual(sorted(pathsBetween(ids('e'), diamond)), sorted(ids()))
})

test('a ladder of 40 steps, which has 2^40 paths, is walked once', t => {
  const edges: Edges = { l0: [], r0: [] }
  for (let i = 1; i <= 40; i++) {
    edges[`l${i}`] = [`l${i - 1}`, `r${i - 1}`]
    edges[`r${i}`] = [`l${i - 1}`, `r${i - 1}`]
  }
  let lookups = 0
  const counted: EventLookup = id => {
    lookups++
    return graph(edges)(id)
  }
  t.is(authChainOf(ids('l40'), counted).size, 80)
  t.is(pathsBetween(ids('l40', 'l0'), counted).size, 80)
  t.true(lookups < 2_000, `${lookups} look-ups`)
})

test('a chain 200,000 long is walked without overflowing the stack', t => {
  const long: EventLookup = id =>
    ({
      eventId: id,
      pdu: { auth_events: id === '0' ? [] : [String(Number(id) - 1)] },
    }) as unknown as GraphEvent
  t.is(authChainOf(ids('200000'), long).size, 200_000)
  t.is(pathsBetween(ids('200000', '0'), long).size, 200_001)
})

test('on any graph the paths are those that a plain search of all paths finds', t => {
  const graphs = fc.array(fc.array(fc.nat(100), { maxLength: 3 }), { minLength: 1, maxLength: 9 })
  fc.assert(
    fc.property(graphs, fc.array(fc.nat(8), { maxLength: 4 }), (rows, chosen) => {
      const edges: Edges = {}
      rows.forEach((row, i) => {
        edges[i] = i === 0 ? [] : [...new Set(row.map(n => String(n % i)))]
      })
      const ends = new Set(chosen.filter(n => n < rows.length).map(String))
      const expected = new Set<string>()
      const search = (path: string[]) => {
        const last = path.at(-1)!
        if (path.length > 1 && ends.has(last)) for (const id of path) expected.add(id)
        for (const next of edges[last]!) search([...path, next])
      }
      for (const end of ends) search([end])
      t.deepEqual(
        [...pathsBetween(ends as Set<EventId>, graph(edges))].sort(),
        [...expected].sort() as EventId[],
      )
    }),
    { numRuns: 300 },
  )
})
