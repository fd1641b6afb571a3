/**
 * State resolution against the cases and results of another implementation (shared/vectors/state-resolution).
 *
 * Fixtures are events in the order in which they arrive. Most cases are resolved in three ways that must agree: along
 * the event graph as a server would, file by file, and all at once with each event as a state of its own.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Pdu } from '../../server/protocol/event.ts'
import type { EventId } from '../../server/protocol/ids.ts'
import { type RoomRules, roomVersion } from '../../server/protocol/room-versions.ts'
import { authorise } from '../../server/rooms/event-auth.ts'
import { type GraphEvent, type StateMap, splitStateKey, stateKeyOf } from '../../server/rooms/graph-event.ts'
import { resolveState } from '../../server/rooms/state-resolution.ts'
import { verify } from '../support/primitives.ts'
import { sharedFolder } from '../support/shared-folder.ts'

const folder = join(sharedFolder(), 'vectors/state-resolution')

type Fixture = Pdu & { readonly event_id: EventId; readonly rejected?: boolean; readonly state_key: string }
type Resolved = { type: string; state_key: string; event_id: string; content: unknown }[]

const batches: Record<string, string[]> = {
  minimal_private_chat: ['bootstrap-private-chat'],
  minimal_public_chat: ['bootstrap-public-chat'],
  origin_server_ts_tiebreak: ['bootstrap-private-chat', 'origin-server-ts-tiebreak'],
  ban_vs_power_levels: ['bootstrap-public-chat', 'ban-vs-power-levels-alice', 'ban-vs-power-levels-bob'],
  topic_vs_power_levels: [
    'bootstrap-public-chat',
    'topic-vs-power-levels-alice',
    'topic-vs-power-levels-bob',
  ],
  power_levels_admin_vs_mod: [
    'bootstrap-public-chat',
    'power-levels-admin-vs-mod-alice',
    'power-levels-admin-vs-mod-bob',
  ],
  topic_vs_ban: ['bootstrap-public-chat', 'topic-vs-ban-common', 'topic-vs-ban-alice', 'topic-vs-ban-bob'],
  join_rules_vs_join: [
    'bootstrap-public-chat',
    'join-rules-vs-join-common',
    'join-rules-vs-join-alice',
    'join-rules-vs-join-ella',
  ],
  concurrent_joins: ['bootstrap-public-chat', 'concurrent-joins-charlie', 'concurrent-joins-ella'],
}

for (const [name, files] of Object.entries(batches)) {
  const loaded = files.map(load)
  const all = loaded.flat()
  const rules = rulesOf(all)
  const events = lookupOf(all)

  test(`${name}: along the graph`, t => {
    t.deepEqual(describe(alongGraph(all, rules), all), snapshot(name))
  })

  test(`${name}: file by file`, t => {
    let state: StateMap | undefined
    for (const file of loaded) {
      state = resolveState([...(state ? [state] : []), ...file.map(alone)], rules, events, verify)
    }
    t.deepEqual(describe(state!, all), snapshot(name))
  })

  test(`${name}: all at once, in whatever order`, t => {
    const expected = snapshot(name)
    for (const order of [all, all.toReversed()]) {
      t.deepEqual(describe(resolveState(order.map(alone), rules, events, verify), all), expected)
    }
  })
}

const problems: Record<string, { states: string[]; events: string }> = {
  msc4297_problem_a_state_res_v2_0: { states: ['A/state-bob', 'A/state-charlie'], events: 'A/pdus-v11' },
  msc4297_problem_a_state_res_v2_1: { states: ['A/state-bob', 'A/state-charlie'], events: 'A/pdus-v12' },
  msc4297_problem_b_state_res_v2_0: { states: ['B/state-eve', 'B/state-zara'], events: 'B/pdus-v11' },
  msc4297_problem_b_state_res_v2_1: { states: ['B/state-eve', 'B/state-zara'], events: 'B/pdus-v12' },
}

for (const [name, { states, events }] of Object.entries(problems)) {
  test(name, t => {
    const all = load(`MSC4297-problem-${events}`)
    const byId = lookupOf(all)
    const maps = states.map(file => {
      const ids = fixture<EventId[]>(`MSC4297-problem-${file}`)
      return new Map(ids.map(id => [keyOf(byId(id)!.pdu as Fixture), id]))
    })
    const resolved = resolveState(maps, rulesOf(all), byId, verify)
    t.deepEqual(describe(resolved, all), snapshot(name))
  })
}

/** The state after the last events, each event's state being the resolution of those before it. */
function alongGraph(all: readonly Fixture[], rules: RoomRules): StateMap {
  const events = lookupOf(all)
  const after = new Map<EventId, StateMap>()
  const ends = new Set<EventId>()
  let waiting = [...all]
  while (waiting.length > 0) {
    const ready = waiting.filter(event => event.prev_events.every(id => after.has(id)))
    if (ready.length === 0) throw new Error('the fixture refers to events that it does not hold')
    for (const event of ready) {
      const before = resolveState(
        event.prev_events.map(id => after.get(id)!),
        rules,
        events,
        verify,
      )
      const lookup = (type: string, stateKey: string) => {
        const id = before.get(stateKeyOf(type, stateKey))
        return id && events(id)
      }
      const accepted = authorise(event, rules, lookup, verify).kind === 'accept'
      after.set(event.event_id, accepted ? new Map([...before, [keyOf(event), event.event_id]]) : before)
      for (const id of event.prev_events) ends.delete(id)
      ends.add(event.event_id)
    }
    waiting = waiting.filter(event => !ready.includes(event))
  }
  return resolveState(
    [...ends].map(id => after.get(id)!),
    rules,
    events,
    verify,
  )
}

function load(name: string): Fixture[] {
  return fixture<Fixture[]>(name)
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, 'fixtures', `${name}.json`), 'utf8')) as T
}

function snapshot(name: string): Resolved {
  const text = readFileSync(join(folder, 'snapshots', `${name}@resolved_state.snap`), 'utf8')
  return JSON.parse(text.slice(text.indexOf('\n---\n') + 5)) as Resolved
}

function rulesOf(all: readonly Fixture[]): RoomRules {
  return roomVersion(all[0]!.content['room_version'] as string)!
}

function lookupOf(all: readonly Fixture[]): (id: EventId) => GraphEvent | undefined {
  const events = new Map(
    all.map(pdu => [pdu.event_id, { eventId: pdu.event_id, pdu, rejected: pdu.rejected ?? false }]),
  )
  return id => events.get(id)
}

function keyOf(event: Fixture): string {
  return stateKeyOf(event.type, event.state_key)
}

function alone(event: Fixture): StateMap {
  return new Map([[keyOf(event), event.event_id]])
}

function describe(state: StateMap, all: readonly Fixture[]): Resolved {
  const byId = new Map(all.map(event => [event.event_id, event]))
  return [...state]
    .map(([key, event_id]) => {
      const { type, stateKey } = splitStateKey(key)
      return { type, state_key: stateKey, event_id, content: byId.get(event_id)!.content }
    })
    .sort((a, b) => compare(a.type, b.type) || compare(a.state_key, b.state_key))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
