import test from 'ava'
import type { RoomEntry } from '../../../pwa/sync/room-entry.ts'
import {
  type Filter,
  neighbour,
  nextUnread,
  type Section,
  sectionsOf,
} from '../../../pwa/views/rooms/sections.ts'
import { entry, space } from './entries.ts'

/** `id: rooms`, a dot a level of depth. */
function drawn(entries: readonly RoomEntry[], filter: Filter = 'all', open: string | null = null): string[] {
  return sectionsOf(entries, filter, open).map(({ id, depth, rooms }: Section) =>
    `${'.'.repeat(depth)}${id}: ${rooms.map(({ roomId }) => roomId).join(' ')}`.trimEnd(),
  )
}
const invitation = { membership: 'invite' } as const

test('a list begins with what waits for an answer and ends with what matters less', t => {
  const entries = [
    entry('!low', { lowPriority: true }),
    entry('!person', { directWith: ['@b:clinic.example'] }),
    entry('!court', { servers: ['clinic.example', 'court.example'] }),
    entry('!plain'),
    entry('!ward'),
    space('!clinic', ['!ward']),
    entry('!best', { favourite: true }),
    entry('!asks', invitation),
    space('!asking-space', [], invitation),
  ]
  t.deepEqual(drawn(entries), [
    'invitations: !asks !asking-space',
    'favourites: !best',
    '!clinic: !ward',
    'rooms: !plain',
    'outside: !court',
    'people: !person',
    'low: !low',
  ])
})

test('what happened last is first in its section', t => {
  const entries = [
    entry('!old', { lastTs: 1 }),
    entry('!new', { lastTs: 9 }),
    entry('!b', { lastTs: 5 }),
    entry('!a', { lastTs: 5 }),
  ]
  t.deepEqual(drawn(entries), ['rooms: !new !a !b !old'])
})

test('spaces in a space stand in its order, and a room in the innermost that lists it', t => {
  const entries = [
    space('!clinic', ['!everything', '!surgery', '!pharmacy']),
    space('!pharmacy', ['!stock']),
    space('!surgery', ['!theatre']),
    entry('!everything'),
    entry('!theatre'),
    entry('!stock'),
  ]
  const listedTwice = entries.map(each =>
    each.roomId === '!clinic' ? { ...each, children: [...each.children, '!stock'] } : each,
  )
  t.deepEqual(drawn(listedTwice), ['!clinic: !everything', '.!surgery: !theatre', '.!pharmacy: !stock'])
})

test('a room that claims a space for its parent is not taken into it', t => {
  const entries = [space('!clinic', ['!ward']), entry('!ward'), entry('!liar', { parents: ['!clinic'] })]
  t.deepEqual(drawn(entries), ['!clinic: !ward', 'rooms: !liar'])
})

test('spaces that list each other, or themselves, are each shown once', t => {
  const ring = [space('!a', ['!b', '!in-a']), space('!b', ['!a', '!b']), entry('!in-a')]
  t.deepEqual(drawn(ring), ['!a: !in-a', '.!b:'])
  t.deepEqual(drawn([space('!self', ['!self'])]), ['!self:'])
  const besides = [...ring, space('!top', [])]
  t.deepEqual(drawn(besides), ['!top:', '!a: !in-a', '.!b:'])
})

test('spaces as deep as anybody nests them are drawn to a bounded depth', t => {
  const nested = Array.from({ length: 30 }, (_, i) => space(`!${i}`, [`!${i + 1}`]))
  t.deepEqual(
    sectionsOf(nested, 'all')
      .map(({ depth }) => depth)
      .slice(0, 6),
    [0, 1, 2, 3, 3, 3],
  )
  t.is(sectionsOf(nested, 'all').length, 30)
})

test('rooms that were left, and those whose successor we are in, are not in the list', t => {
  const entries = [
    entry('!left', { membership: 'leave' }),
    entry('!banned', { membership: 'ban' }),
    entry('!old', { replacedBy: '!new' }),
    entry('!new'),
    entry('!kept', { replacedBy: '!elsewhere' }),
    entry('!knocked', { membership: 'knock' }),
  ]
  t.deepEqual(drawn(entries), ['rooms: !kept !knocked !new'])
})

const mixed = [
  entry('!quiet'),
  entry('!unread', { unread: 2 }),
  entry('!muted', { unread: 5, muted: true }),
  entry('!marked', { markedUnread: true }),
  entry('!mentioned', { mentions: 1, unread: 1, muted: true }),
  entry('!person', { directWith: ['@b:clinic.example'] }),
  entry('!asks', invitation),
  space('!clinic', []),
  space('!asking-space', [], invitation),
]
const filtered: [Filter, string[]][] = [
  ['unread', ['invitations: !asks !asking-space', 'rooms: !marked !mentioned !unread']],
  ['mentions', ['rooms: !mentioned']],
  ['people', ['people: !person']],
  ['invitations', ['invitations: !asks !asking-space']],
]
for (const [filter, expected] of filtered) {
  test(`the filter ${filter} shows only that, and no empty space`, t => {
    t.deepEqual(drawn(mixed, filter), expected)
  })
}

test('the room that is looked at stays in a filtered list', t => {
  t.deepEqual(drawn([entry('!a'), entry('!b', { unread: 1 })], 'unread', '!a'), ['rooms: !a !b'])
})

test('the next unread room is looked for around the list, and never the one that is open', t => {
  const sections = sectionsOf(
    [
      entry('!1', { lastTs: 4, unread: 1 }),
      entry('!2', { lastTs: 3 }),
      entry('!3', { lastTs: 2, unread: 1 }),
      entry('!4', { lastTs: 1 }),
    ],
    'all',
  )
  const next = (from: string | null, step: 1 | -1) => nextUnread(sections, from, step)?.roomId
  t.is(next('!1', 1), '!3')
  t.is(next('!3', 1), '!1')
  t.is(next('!4', 1), '!1')
  t.is(next('!2', -1), '!1')
  t.is(next('!1', -1), '!3')
  t.is(next(null, 1), '!1')
  t.is(next(null, -1), '!3')
  t.is(nextUnread(sectionsOf([entry('!only', { unread: 1 })], 'all'), '!only', 1), null)
})

test('the room beside ends at the ends of the list', t => {
  const sections = sectionsOf([entry('!1', { lastTs: 2 }), entry('!2', { lastTs: 1 })], 'all')
  t.is(neighbour(sections, '!1', 1)?.roomId, '!2')
  t.is(neighbour(sections, '!2', 1), null)
  t.is(neighbour(sections, '!1', -1), null)
  t.is(neighbour(sections, null, 1)?.roomId, '!1')
})
