import test from 'ava'
import type { UserId } from '../../server/protocol/ids.ts'
import type { Json, JsonObject } from '../../server/protocol/json.ts'
import { openMemoryStore } from '../../server/store/memory-engine.ts'
import { pickFields } from '../../server/sync/event-fields.ts'
import { parseSyncFilter } from '../../server/sync/filter.ts'
import { openStoredFilters } from '../../server/sync/stored-filters.ts'
import { openWorld } from './world.ts'

const alice = '@alice:example.org' as UserId

type Event = { type: string; sender: UserId; content: JsonObject }
const message: Event = { type: 'm.room.message', sender: alice, content: { body: 'x' } }
const picture: Event = { type: 'm.room.message', sender: alice, content: { url: 'mxc://x/y' } }

const cases: [timeline: JsonObject, what: Event, passes: boolean][] = [
  [{}, message, true],
  [{ types: ['m.room.message'] }, message, true],
  [{ types: ['m.room.*'] }, message, true],
  [{ types: ['*.message'] }, message, true],
  [{ types: ['m.*.message'] }, message, true],
  [{ types: [] }, message, false],
  [{ types: ['m.room'] }, message, false],
  [{ types: ['m.room.message'], not_types: ['m.room.*'] }, message, false],
  [{ senders: [alice] }, message, true],
  [{ senders: ['@bob:example.org'] }, message, false],
  [{ not_senders: [alice] }, message, false],
  [{ senders: [alice], not_senders: [alice] }, message, false],
  [{ contains_url: true }, message, false],
  [{ contains_url: true }, picture, true],
  [{ contains_url: false }, picture, false],
  [{ contains_url: false }, message, true],
]

for (const [timeline, what, passes] of cases) {
  test(`the timeline filter ${JSON.stringify(timeline)} ${passes ? 'lets' : 'does not let'} ${JSON.stringify(what.content)} through`, t => {
    t.is(parseSyncFilter({ room: { timeline } }).timeline.matches(what), passes)
  })
}

test('rooms and not_rooms: a room that is in both is out', t => {
  const filter = parseSyncFilter({ room: { rooms: ['!a:hq', '!b:hq'], not_rooms: ['!b:hq'] } })
  t.deepEqual(['!a:hq', '!b:hq', '!c:hq'].map(filter.matchesRoom), [true, false, false])
})

const refused: [Json, RegExp][] = [
  [[], /filter must be an object/],
  [{ room: 1 }, /filter\.room must be an object/],
  [{ room: { timeline: { limit: -1 } } }, /filter\.room\.timeline\.limit/],
  [{ room: { timeline: { limit: '10' } } }, /filter\.room\.timeline\.limit/],
  [{ room: { state: { types: 'm.room' } } }, /filter\.room\.state\.types/],
  [{ room: { include_leave: 'yes' } }, /filter\.room\.include_leave/],
  [{ room: { rooms: '!a' } }, /filter\.room\.rooms/],
  [{ room: { timeline: { rooms: ['not_a_room_id'] } } }, /filter\.room\.timeline\.rooms\[0\]/],
  [{ room: { timeline: { senders: [alice, 'alice'] } } }, /filter\.room\.timeline\.senders\[1\]/],
  [{ event_fields: 'type' }, /filter\.event_fields/],
  [{ event_format: 'xml' }, /filter\.event_format/],
  [{ presence: { senders: {} } }, /filter\.presence\.senders/],
  [{ account_data: { types: [1] } }, /filter\.account_data\.types/],
  [{ event_fields: Array(101).fill('content.body') }, /filter\.event_fields may have 100/],
  [{ room: { timeline: { types: Array(101).fill('*a') } } }, /filter\.room\.timeline\.types may have 100/],
]

for (const [filter, message] of refused) {
  test(`the filter ${JSON.stringify(filter)} is refused by the name of its field`, t => {
    t.throws(() => parseSyncFilter(filter), { message })
  })
}

test('event_fields keep what they name and nothing else', t => {
  const event = {
    type: 'a',
    content: { body: 'b', 'm.relates_to': { event_id: '$x', rel_type: 'r' }, more: 1 },
    sender: 's',
  }
  t.deepEqual(
    pickFields(event, ['type', 'content.body', 'content.m\\.relates_to.event_id', 'unsigned.age']),
    {
      type: 'a',
      content: { body: 'b', 'm.relates_to': { event_id: '$x' } },
    },
  )
  t.deepEqual(pickFields(event, ['content.body.deeper']), {})
  t.deepEqual(
    pickFields(JSON.parse('{"__proto__":{"a":1},"b":2}'), ['__proto__.a', 'constructor.name']),
    JSON.parse('{"__proto__":{"a":1}}'),
  )
})

test('the same filter uploaded twice is one filter, and comes back as it was', async t => {
  const filters = openStoredFilters({ store: await openMemoryStore({ slow: true }) })
  const filter = { room: { timeline: { limit: 3 } }, 'org.example.more': { kept: true } }
  const id = await filters.add(alice, filter)
  t.is(await filters.add(alice, filter), id)
  t.false(id.startsWith('{'))
  t.deepEqual(await filters.get(alice, id), filter)
  t.is((await filters.read(alice, id)).timeline.limit, 3)
  t.is(await filters.get('@bob:example.org' as UserId, id), null)
  await t.throwsAsync(filters.read('@bob:example.org' as UserId, id), { message: /filter/ })
})

test('stored filters and push rules go with the account', async t => {
  const world = await openWorld()
  const filters = openStoredFilters({ store: world.store })
  const id = await filters.add(alice, {})
  await world.push.changeRule(alice, 'override', '.m.rule.master', { enabled: true })
  t.true((await world.push.rules(alice)).override[0]!.enabled)
  await world.store.transact(alice, async tx => {
    await filters.removeAllIn(tx, alice)
    await world.push.removeAllIn(tx, alice)
  })
  t.is(await filters.get(alice, id), null)
  t.false((await world.push.rules(alice)).override[0]!.enabled)
  world.close()
})
