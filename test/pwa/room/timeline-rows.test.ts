import test from 'ava'
import type { TimelineItem } from '../../../pwa/sync/timeline-item.ts'
import { isFolded, type Row, readersFrom, timelineRows } from '../../../pwa/views/room/timeline-rows.ts'
import { amal, item, jonas, member, minute, noon, samir } from './items.ts'

const day = 24 * 60 * minute
const options = {
  ourUserId: amal,
  readUpTo: null,
  reachesEnd: true,
  startOfDay: (ts: number) => Math.floor(ts / day) * day,
}
const rowsOf = (items: TimelineItem[], change = {}) => timelineRows(items, { ...options, ...change })
const kinds = (rows: Row[]) => rows.map(row => row.kind)
const messages = (rows: Row[]) => rows.flatMap(row => (row.kind === 'message' ? [row] : []))

test('a timeline opens with its day, and each new day is named', t => {
  const rows = rowsOf([item('a'), item('b', { ts: noon + minute }), item('c', { ts: noon + day })])
  t.deepEqual(kinds(rows), ['day', 'message', 'message', 'day', 'message'])
})

test('messages of one person within five minutes are one group', t => {
  const rows = rowsOf([
    item('a', { sender: jonas }),
    item('b', { sender: jonas, ts: noon + minute }),
    item('c', { sender: samir, ts: noon + minute }),
    item('d', { sender: samir, ts: noon + 7 * minute }),
    item('e', { sender: samir, ts: noon + 7 * minute, replyTo: { eventId: '$a', item: null } }),
  ])
  t.deepEqual(
    messages(rows).map(row => row.isFirst),
    [true, false, true, true, true],
  )
})

test('a clock that goes backwards by hours opens a new group', t => {
  const rows = rowsOf([item('a'), item('b', { ts: noon - 3 * 60 * minute })])
  t.true(messages(rows)[1]!.isFirst)
})

test('the margin shows a minute once, and at the start of each group', t => {
  const rows = rowsOf([
    item('a', { sender: jonas }),
    item('b', { sender: jonas }),
    item('c', { sender: jonas, ts: noon + minute }),
    item('d', { sender: samir, ts: noon + minute }),
  ])
  t.deepEqual(
    messages(rows).map(row => row.margin),
    ['time', 'nothing', 'time', 'time'],
  )
})

test('of our messages the newest that was read, the newest that was sent, and all that wait say so', t => {
  const rows = rowsOf([
    item('a', { state: 'read' }),
    item('b', { state: 'read' }),
    item('c', { state: 'sent' }),
    item('d', { state: 'sent' }),
    item('e', { state: 'queued', eventId: null }),
    item('f', { state: 'failed', eventId: null }),
  ])
  t.deepEqual(
    messages(rows).map(row => row.margin),
    ['time', 'state', 'nothing', 'state', 'state', 'state'],
  )
})

test('the line of what is new stands before the first message of somebody else', t => {
  const rows = rowsOf([item('a'), item('b'), item('c', { sender: jonas }), item('d', { sender: jonas })], {
    readUpTo: '$a',
  })
  t.deepEqual(kinds(rows), ['day', 'message', 'message', 'unread', 'message', 'message'])
})

test('where only we wrote since, nothing is new', t => {
  t.false(kinds(rowsOf([item('a'), item('b')], { readUpTo: '$a' })).includes('unread'))
})

test('those who read our newest read message are named once, whoever read on included', t => {
  const items = [
    item('a', { state: 'read', readBy: [samir] }),
    item('b', { state: 'read', readBy: [] }),
    item('c', { sender: jonas, readBy: [jonas] }),
  ]
  const rows = rowsOf(items)
  t.deepEqual(
    rows.find(row => row.kind === 'readers'),
    { kind: 'readers', key: 'readers', userIds: [jonas] },
  )
  t.deepEqual(readersFrom(items, items[0]!, amal), [jonas, samir])
  t.false(kinds(rowsOf(items, { reachesEnd: false })).includes('readers'))
})

test('changes that follow each other are one row, folded from three on', t => {
  const rows = rowsOf([
    member('a', jonas, 'join'),
    member('b', samir, 'join'),
    item('c'),
    member('d', jonas, 'leave'),
  ])
  t.deepEqual(kinds(rows), ['day', 'changes', 'message', 'changes'])
  const [, changes] = rows
  t.true(changes?.kind === 'changes' && changes.items.length === 2 && !isFolded(changes.items))
  t.true(isFolded([item('a'), item('b'), item('c')]))
})

test('what says nothing to people has no line', t => {
  const silent = [
    item('a', { type: 'm.reaction' }),
    item('b', { type: 'm.key.verification.done' }),
    item('c', { type: 'org.example.custom', content: { x: 1 } }),
    member('d', jonas, 'join', { previousContent: { membership: 'join', displayname: 'Jonas Weber' } }),
    item('e', { type: 'org.example.state', stateKey: '' }),
  ]
  t.deepEqual(rowsOf(silent), [])
})

test('rows of hostile events are rows: no body, no type that is known, times from nowhere', t => {
  const rows = rowsOf([
    item('a', { content: {} }),
    item('b', { content: { body: 7, msgtype: [] } as never, ts: 8.64e15 }),
    item('c', { ts: -1 }),
    member('d', jonas, 'join', { content: { membership: 9 } as never, previousContent: {} }),
  ])
  t.is(messages(rows).length, 3)
})

test('keys of rows are unique', t => {
  const rows = rowsOf([
    item('a'),
    item('b', { ts: noon + day }),
    item('c', { ts: noon }),
    member('d', jonas, 'join'),
  ])
  t.is(new Set(rows.map(row => row.key)).size, rows.length)
})

test('a day is named once, whatever stands between its messages', t => {
  const rows = rowsOf(
    [
      item('a', { state: 'read', readBy: [jonas] }),
      item('b', { sender: jonas }),
      item('c', { sender: samir }),
    ],
    { readUpTo: '$b' },
  )
  t.deepEqual(kinds(rows), ['day', 'message', 'readers', 'message', 'unread', 'message'])
})

test('keys that came another way are said of once for all messages in a row, whoever wrote them', t => {
  const elsewhere = { shield: 'not-authentic' } as const
  const rows = rowsOf([
    item('a', { ...elsewhere, sender: jonas }),
    item('b', { ...elsewhere, sender: samir }),
    item('c', { sender: samir }),
    item('d', { ...elsewhere, sender: samir }),
  ])
  t.deepEqual(
    messages(rows).map(row => row.saysShield),
    [true, false, false, true],
  )
})

test('what is wrong with a device is said once for messages in a row of one person', t => {
  const unsigned = { shield: 'unsigned-device' } as const
  const rows = rowsOf([
    item('a', { ...unsigned, sender: jonas }),
    item('b', { ...unsigned, sender: jonas }),
    item('c', { ...unsigned, sender: samir }),
    item('d', { shield: 'identity-changed', sender: samir }),
  ])
  t.deepEqual(
    messages(rows).map(row => row.saysShield),
    [true, false, true, true],
  )
})
