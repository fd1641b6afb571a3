/** State resolution 2 and 2.1. The cases of another implementation are in test/interop. */
import test from 'ava'
import fc from 'fast-check'
import type { EventId } from '../../server/protocol/ids.ts'
import type { JsonObject } from '../../server/protocol/json.ts'
import { type RoomVersion, roomVersions } from '../../server/protocol/room-versions.ts'
import { MissingEventError } from '../../server/rooms/auth-chain.ts'
import { type StateMap, stateKeyOf } from '../../server/rooms/graph-event.ts'
import { resolveState } from '../../server/rooms/state-resolution.ts'
import { verify } from '../support/primitives.ts'
import { alice, bob, carol, dave, TestRoom } from '../support/test-room.ts'

const resolve = (room: TestRoom, ...states: StateMap[]) => resolveState(states, room.rules, room.byId, verify)
const at = (room: TestRoom, state: StateMap, type: string, key = '') => {
  const id = state.get(stateKeyOf(type, key))
  return id && room.events.get(id)!.pdu.content
}
/** Power for alice where she has none as the creator. */
const users = (version: RoomVersion, others: JsonObject): JsonObject => ({
  users: { ...(version === '12' ? {} : { [alice]: 100 }), ...others },
})
const topic = (room: TestRoom, sender: string, text: string, ts?: number) =>
  room.send({
    type: 'm.room.topic',
    sender,
    state_key: '',
    content: { topic: text },
    ...(ts === undefined ? {} : { origin_server_ts: ts }),
  })

/** Alice above all, bob a moderator, carol a member. */
function moderated(version: RoomVersion): TestRoom {
  const room = TestRoom.open(version, { powerLevels: users(version, { [bob]: 50 }), joinRule: 'public' })
  room.member(bob, 'join')
  room.member(carol, 'join')
  return room
}

for (const version of roomVersions) {
  test(`version ${version}: one state, or the same state twice, resolves to itself`, t => {
    const room = moderated(version)
    t.deepEqual(resolve(room, room.state), room.state)
    t.deepEqual(resolve(room, room.state, new Map(room.state)), room.state)
    t.deepEqual(resolve(room), new Map())
  })

  test(`version ${version}: what only one side changed is taken over`, t => {
    const room = moderated(version)
    const changed = room.fork(() => topic(room, bob, 'new'))
    t.deepEqual(at(room, resolve(room, room.state, changed), 'm.room.topic'), { topic: 'new' })
  })

  test(`version ${version}: a ban comes before what the banned user does at the same time`, t => {
    const room = moderated(version)
    const banned = room.fork(() => room.member(bob, 'ban', alice))
    const talked = room.fork(() => topic(room, bob, 'too late', 1))
    const state = resolve(room, talked, banned)
    t.is(at(room, state, 'm.room.member', bob)?.['membership'], 'ban')
    t.is(at(room, state, 'm.room.topic'), undefined)
  })

  test(`version ${version}: a kick comes before what the kicked user does at the same time`, t => {
    const room = moderated(version)
    const kicked = room.fork(() => room.member(bob, 'leave', alice))
    const talked = room.fork(() => topic(room, bob, 'too late', 1))
    t.is(at(room, resolve(room, talked, kicked), 'm.room.topic'), undefined)
  })

  test(`version ${version}: leaving is no power event: what the leaver said before in time stands`, t => {
    const room = moderated(version)
    const talked = room.fork(() => topic(room, bob, 'farewell', 1))
    const left = room.fork(() => room.member(bob, 'leave'))
    t.deepEqual(at(room, resolve(room, left, talked), 'm.room.topic'), { topic: 'farewell' })
  })

  test(`version ${version}: a demotion comes before what the demoted user grants at the same time`, t => {
    const room = moderated(version)
    const demoted = room.fork(() => room.powerLevels(users(version, { [bob]: 0 })))
    const granted = room.fork(() => room.powerLevels(users(version, { [bob]: 50, [carol]: 50 }), bob))
    const state = resolve(room, granted, demoted)
    t.deepEqual(at(room, state, 'm.room.power_levels'), users(version, { [bob]: 0 }))
  })

  test(`version ${version}: a closed door comes before a join through it`, t => {
    const room = moderated(version)
    const closed = room.fork(() =>
      room.send({
        type: 'm.room.join_rules',
        sender: alice,
        state_key: '',
        content: { join_rule: 'invite' },
      }),
    )
    const joined = room.fork(() => room.member(dave, 'join'))
    t.is(at(room, resolve(room, joined, closed), 'm.room.member', dave), undefined)
  })

  test(`version ${version}: of two equal changes the later in time stands, and at one time the greater id`, t => {
    const room = moderated(version)
    const early = room.fork(() => topic(room, bob, 'early', 5_000))
    const late = room.fork(() => topic(room, alice, 'late', 5_001))
    t.deepEqual(at(room, resolve(room, late, early), 'm.room.topic'), { topic: 'late' })

    const ids = new Map<string, EventId>()
    const sides = ['a', 'b', 'c'].map(text =>
      room.fork(() => ids.set(text, topic(room, bob, text, 6_000).eventId)),
    )
    const greatest = [...ids.values()].sort().at(-1)!
    t.is(resolve(room, ...sides).get(stateKeyOf('m.room.topic', '')), greatest)
  })

  test(`version ${version}: of two doors set at one time the one with less power comes last, so it stands`, t => {
    const room = moderated(version)
    const door = (sender: string, rule: string, ts: number) =>
      room.fork(() =>
        room.send({
          type: 'm.room.join_rules',
          sender,
          state_key: '',
          content: { join_rule: rule },
          origin_server_ts: ts,
        }),
      )
    const bobs = door(bob, 'knock', 1)
    const alices = door(alice, 'invite', 9_000)
    t.deepEqual(at(room, resolve(room, alices, bobs), 'm.room.join_rules'), { join_rule: 'knock' })
  })

  test(`version ${version}: the creator has her power also where an event knows no power levels yet`, t => {
    const room = TestRoom.open(version)
    room.member(bob, 'join')
    const door = (sender: string, rule: string, ts: number) =>
      room.send({
        type: 'm.room.join_rules',
        sender,
        state_key: '',
        content: { join_rule: rule },
        origin_server_ts: ts,
      })
    const alices = room.fork(() => door(alice, 'invite', 9_000))
    const bobs = room.fork(() => {
      room.powerLevels(users(version, { [bob]: 50 }))
      door(bob, 'knock', 1)
    })
    t.deepEqual(at(room, resolve(room, alices, bobs), 'm.room.join_rules'), { join_rule: 'knock' })
  })

  test(`version ${version}: what is in the auth chain of every state is no conflict`, t => {
    const room = moderated(version)
    const open = { join_rule: 'public' }
    // A second open door, which nobody but dave went through: no unconflicted state names it.
    room.send({ type: 'm.room.join_rules', sender: alice, state_key: '', content: open })
    const closed = room.fork(() =>
      room.send({
        type: 'm.room.join_rules',
        sender: alice,
        state_key: '',
        content: { join_rule: 'invite' },
      }),
    )
    const joinRules = stateKeyOf('m.room.join_rules', '')
    const sides = [1, 2].map(() => {
      const joined = new Map(room.fork(() => room.member(dave, 'join')))
      return joined.set(joinRules, closed.get(joinRules)!)
    })
    // Both joins went through the open door, which neither state has any more. Version 2 judges them by the closed one;
    // version 2.1 starts from nothing and takes the door that the joins themselves name.
    const membership = at(room, resolve(room, ...sides), 'm.room.member', dave)?.['membership']
    t.is(membership, version === '12' ? 'join' : undefined)
  })

  test(`version ${version}: a change under older power levels comes before one under newer`, t => {
    const room = moderated(version)
    const old = room.fork(() => topic(room, bob, 'old', 9_000))
    room.powerLevels(users(version, { [bob]: 50, [carol]: 50 }))
    const recent = room.fork(() => topic(room, carol, 'recent', 1))
    t.deepEqual(at(room, resolve(room, recent, old), 'm.room.topic'), { topic: 'recent' })
  })

  test(`version ${version}: an auth event that was rejected does not stand in for state`, t => {
    const room = moderated(version)
    room.send({ type: 'm.room.join_rules', sender: alice, state_key: '', content: { join_rule: 'invite' } })
    const stranger = '@eve:three'
    const rejected = room.send(
      { type: 'm.room.member', sender: stranger, state_key: stranger, content: { membership: 'join' } },
      { rejected: true },
    )
    const power = room.state.get(stateKeyOf('m.room.power_levels', ''))!
    room.send({
      type: 'm.room.member',
      sender: stranger,
      state_key: stranger,
      content: { membership: 'leave' },
      auth_events: [...(version === '12' ? [] : [room.create.eventId]), power, rejected.eventId],
    })
    const without = new Map(room.state)
    without.delete(stateKeyOf('m.room.member', stranger))
    t.is(resolve(room, room.state, without).get(stateKeyOf('m.room.member', stranger)), undefined)
  })

  test(`version ${version}: an event that was not loaded is named, not guessed`, t => {
    const room = moderated(version)
    const changed = room.fork(() => topic(room, bob, 'new'))
    const missing = room.state.get(stateKeyOf('m.room.power_levels', ''))!
    const error = t.throws(
      () =>
        resolveState(
          [room.state, changed],
          room.rules,
          id => (id === missing ? undefined : room.byId(id)),
          verify,
        ),
      { instanceOf: MissingEventError },
    )
    t.is(error?.eventId, missing)
  })

  test(`version ${version}: 20,000 power level changes on each side resolve within seconds (CVE-2024-31208)`, t => {
    const room = moderated(version)
    const side = (first: number) =>
      room.fork(() => {
        for (let i = 0; i < 20_000; i++) {
          room.powerLevels({ ...users(version, { [bob]: 50 }), events: { x: first + i } })
        }
      })
    const sides = [side(0), side(1)]
    const started = process.cpuUsage()
    const state = resolve(room, ...sides)
    t.true(process.cpuUsage(started).user < 20_000_000)
    t.truthy(at(room, state, 'm.room.power_levels'))
  })
}

for (const version of roomVersions) {
  const rebuilds = version === '12'

  test(`version ${version}: after its sender has left, a setting that one server lost is ${rebuilds ? 'brought back' : 'lost'} (MSC4297, A)`, t => {
    const room = moderated(version)
    room.member(alice, 'leave')
    const joinRules = stateKeyOf('m.room.join_rules', '')
    const lost = new Map(room.state)
    lost.delete(joinRules)
    // Version 2 judges the join rule on the unconflicted state, in which alice has left.
    t.is(resolve(room, lost, room.state).get(joinRules), rebuilds ? room.state.get(joinRules) : undefined)
  })

  test(`version ${version}: one server with old power levels ${rebuilds ? 'does not bring' : 'brings'} all back to them (MSC4297, B)`, t => {
    const room = moderated(version)
    const powerLevels = stateKeyOf('m.room.power_levels', '')
    const first = room.state.get(powerLevels)!
    room.powerLevels(users(version, { [bob]: 100 }))
    room.member(dave, 'join') // by the second power levels, which are thus in the auth chain of both states
    const stale = new Map(room.state).set(powerLevels, first)
    const third = room.powerLevels(users(version, { [bob]: 100, [carol]: 100 }), bob).eventId
    // Version 2 judges bob's change on the first levels, for the second are in no conflict.
    t.is(resolve(room, stale, room.state).get(powerLevels), rebuilds ? third : first)
  })
}

for (const version of roomVersions) {
  const mainline = version !== '12'

  test(`version ${version}: power levels on which all agree ${mainline ? 'order' : 'are not up for decision, so do not order'} the changes made under them`, t => {
    const room = moderated(version)
    topic(room, bob, 'under the first levels', 9_000)
    room.powerLevels(users(version, { [bob]: 51 }))
    const second = room.fork(() => topic(room, bob, 'under the second levels', 1))
    // Version 2.1 starts from nothing: without a decision about power levels there is no mainline, and time decides.
    const expected = mainline ? 'under the second levels' : 'under the first levels'
    t.deepEqual(at(room, resolve(room, second, room.state), 'm.room.topic'), { topic: expected })
  })
}

type Act = { who: number; what: number; whom: number; level: number; side: number }
const people = [alice, bob, carol, dave]
const acts = fc.array(
  fc.record({
    who: fc.nat(3),
    what: fc.nat(6),
    whom: fc.nat(3),
    level: fc.constantFrom(0, 50, 100),
    side: fc.nat(2),
  }),
  { maxLength: 25 },
)

/** Does what the rules allow, on up to three sides of a fork. */
function history(version: RoomVersion, all: readonly Act[]): { room: TestRoom; states: StateMap[] } {
  const room = moderated(version)
  const states = [0, 1, 2].map(side =>
    room.fork(() => {
      for (const act of all) if (act.side === side) perform(room, version, act)
    }),
  )
  return { room, states }
}

function perform(room: TestRoom, version: RoomVersion, { who, what, whom, level }: Act): void {
  const sender = people[who]!
  const target = people[whom]!
  const member = (membership: string, user: string) => ({
    type: 'm.room.member',
    sender,
    state_key: user,
    content: { membership },
  })
  const fields = [
    member('join', sender),
    member('leave', sender),
    member('leave', target),
    member('ban', target),
    {
      type: 'm.room.power_levels',
      sender,
      state_key: '',
      content: users(version, target === alice ? { [bob]: level } : { [target]: level }),
    },
    { type: 'm.room.topic', sender, state_key: '', content: { topic: `${sender} ${level}` } },
    {
      type: 'm.room.join_rules',
      sender,
      state_key: '',
      content: { join_rule: level === 0 ? 'invite' : 'public' },
    },
  ][what]!
  if (room.judge(fields).kind === 'accept') room.send(fields)
}

for (const version of roomVersions) {
  test(`version ${version}: the order of states, and of entries in them, makes no difference`, t => {
    fc.assert(
      fc.property(acts, all => {
        const { room, states } = history(version, all)
        const [a, b, c] = states as [StateMap, StateMap, StateMap]
        const expected = resolve(room, a, b, c)
        t.deepEqual(sorted(resolve(room, c, a, b)), sorted(expected))
        t.deepEqual(sorted(resolve(room, b, b, c, a)), sorted(expected))
        const turned = states.map(state => new Map([...state].reverse()))
        t.deepEqual(sorted(resolve(room, ...turned)), sorted(expected))
      }),
      { numRuns: 150 },
    )
  })

  test(`version ${version}: what all states agree on stays, and nothing comes from nowhere`, t => {
    fc.assert(
      fc.property(acts, all => {
        const { room, states } = history(version, all)
        const resolved = resolve(room, ...states)
        for (const [key, id] of states[0]!) {
          if (states.every(state => state.get(key) === id)) t.is(resolved.get(key), id)
        }
        for (const [key, id] of resolved) {
          const { pdu } = room.events.get(id)!
          t.is(stateKeyOf(pdu.type, pdu.state_key!), key)
        }
        t.true(resolved.has(stateKeyOf('m.room.create', '')))
      }),
      { numRuns: 150 },
    )
  })
}

function sorted(state: StateMap): [string, EventId][] {
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1))
}
