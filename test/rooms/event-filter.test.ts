import test from 'ava'
import { parseRoomEventFilter } from '../../server/rooms/event-filter.ts'
import { sampleEvent } from './sample-event.ts'

const matches = (filter: object, event: object = {}) =>
  parseRoomEventFilter(filter as never, 'filter').matches(sampleEvent(event))

const cases: [string, object, object, boolean][] = [
  ['nothing asked for matches', {}, {}, true],
  ['types', { types: ['m.room.message'] }, {}, true],
  ['types that do not match', { types: ['m.room.name'] }, {}, false],
  ['no types at all match nothing', { types: [] }, {}, false],
  ['not_types wins over types', { types: ['m.room.message'], not_types: ['m.room.*'] }, {}, false],
  ['* alone matches all', { types: ['*'] }, {}, true],
  ['* in the middle', { types: ['m.*.message'] }, {}, true],
  ['* matches nothing as well', { types: ['m.room.message*'] }, {}, true],
  ['pieces in order', { types: ['*room*m.*'] }, {}, false],
  ['pieces do not overlap', { types: ['m.room.mess*ssage'] }, {}, false],
  ['several *', { types: ['m*r*m*sage'] }, {}, true],
  ['senders', { senders: ['@alice:hq.test'] }, {}, true],
  ['not_senders', { not_senders: ['@alice:hq.test'] }, {}, false],
  ['senders know no wildcard', { senders: ['@ali*:hq.test'] }, {}, false],
  ['contains_url', { contains_url: true }, { content: { url: 'mxc://hq.test/a' } }, true],
  ['contains_url without a url', { contains_url: true }, {}, false],
  ['contains_url false', { contains_url: false }, {}, true],
]

for (const [name, filter, event, expected] of cases) {
  test(`filter: ${name}`, t => {
    t.is(matches(filter, event), expected)
  })
}

test('rooms: not_rooms wins', t => {
  const filter = parseRoomEventFilter({ rooms: ['!a:hq', '!b:hq'], not_rooms: ['!b:hq'] }, 'filter')
  t.deepEqual(['!a:hq', '!b:hq', '!c:hq'].map(filter.matchesRoom), [true, false, false])
})

test('a pattern made to be slow is not', t => {
  const filter = parseRoomEventFilter({ types: ['*a'.repeat(2_000)] }, 'filter')
  const before = process.cpuUsage()
  t.false(filter.matches(sampleEvent({ type: 'a'.repeat(1_999) })))
  t.true(process.cpuUsage(before).user < 1_000_000)
})

const refusals: [object, RegExp][] = [
  [{ types: 'm.room.message' }, /^filter\.types must be a list of strings\.$/],
  [{ senders: [1] }, /^filter\.senders must be/],
  [{ limit: -1 }, /^filter\.limit must be/],
  [{ limit: '10' }, /^filter\.limit must be/],
  [{ lazy_load_members: 'yes' }, /^filter\.lazy_load_members must be true or false\.$/],
  [[], /^filter must be an object\.$/],
]

for (const [filter, message] of refusals) {
  test(`refused with its name: ${JSON.stringify(filter)}`, t => {
    t.throws(() => parseRoomEventFilter(filter as never, 'filter'), { code: 'M_BAD_JSON', message })
  })
}
