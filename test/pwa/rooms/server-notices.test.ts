/** What the server tells an administrator or a sponsor: what is new, and what is still the case. */
import test from 'ava'
import { newNotices } from '../../../pwa/views/rooms/server-notices.ts'

const health = (ts: number, change: 'found' | 'over', code: string, severity = 'warning') => ({
  ts,
  action: `health.${change}`,
  target: 'clinic.example',
  finding: { code, severity, facts: {} },
})
const of = (seenTs: number, ...notices: object[]) =>
  newNotices({ notices } as never, seenTs).notices.map(({ name }) => name)

test('nothing was told: nothing is shown', t => {
  t.deepEqual(newNotices(null, 0), { notices: [], lastTs: 0 })
  t.deepEqual(newNotices({ notices: 'x' }, 0).notices, [])
})

test('health is one line, as urgent as the worst that is still the case', t => {
  const found = [health(1, 'found', 'disk.filling'), health(2, 'found', 'backup.old', 'alarm')]
  t.deepEqual(of(0, ...found), ['alarm'])
  t.deepEqual(of(0, ...found, health(3, 'over', 'backup.old', 'alarm')), ['warning'])
  t.deepEqual(of(0, ...found, health(3, 'over', 'backup.old'), health(4, 'over', 'disk.filling')), [])
})

test('what was seen is not shown again; what came after is', t => {
  const notices = [
    health(1, 'found', 'disk.filling'),
    { ts: 2, action: 'account.ends-soon', target: '@guest:clinic.example', expires_ts: 9 },
    { ts: 3, action: 'account.ended', target: '@guest:clinic.example', expires_ts: 9 },
  ]
  t.deepEqual(of(0, ...notices), ['warning', 'ended', 'endsSoon'])
  t.deepEqual(of(2, ...notices), ['ended'])
  t.deepEqual(of(3, ...notices), [])
  t.is(newNotices({ notices } as never, 0).lastTs, 3)
})

test('an act that this app has no words for is shown as it is', t => {
  const { notices } = newNotices({ notices: [{ ts: 1, action: 'moon.full', target: 'x' }] }, 0)
  t.deepEqual(notices, [{ name: 'other', action: 'moon.full', target: 'x' }])
})

test('what a server that lies puts there breaks nothing', t => {
  const hostile = [null, 7, 'x', [], {}, { ts: 'x', action: 1, target: {} }, { ts: 1, action: 'a' }]
  t.deepEqual(of(0, ...(hostile as object[])), [])
  const { notices } = newNotices(
    { notices: [{ ts: 1, action: 'account.ended', target: 'x'.repeat(9_999), expires_ts: 1e300 }] },
    0,
  )
  t.is(notices[0]!.target.length, 255)
  t.is(notices[0]!.expiresTs, undefined)
})
