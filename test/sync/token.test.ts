import test from 'ava'
import { parseTimelineToken } from '../../server/rooms/timeline-token.ts'
import type { Position } from '../../server/store/store.ts'
import { isOfThisHistory, parseSyncToken, type SyncToken, writeSyncToken } from '../../server/sync/token.ts'

const epoch = 2 ** 36
const at = (position: number, more: Partial<SyncToken> = {}): SyncToken => ({
  position: position as Position,
  typing: 7,
  someoneTyped: false,
  inbox: position as Position,
  ...more,
})

test('a token says again what was written', t => {
  for (const token of [
    at(1),
    at(5 * epoch + 3, { someoneTyped: true, typing: 1.7e12 }),
    at(9, { inbox: 4 as Position }),
    { ...at(epoch), presence: 1_700_000_000_000 },
  ])
    t.deepEqual(parseSyncToken(writeSyncToken(token)), token)
})

for (const text of [
  '',
  's',
  's1',
  's1_2',
  '1_2_3',
  's1_2_3_4',
  's1_2_3_p',
  's-1_2_3',
  's1_2x_3',
  't1',
  's99999999999999999_1_1',
  's1_2_3\n',
  ' s1_2_3',
]) {
  test(`${JSON.stringify(text)} is no token`, t => t.is(parseSyncToken(text), null))
}

test('a sync token is a place in a timeline as well', t => {
  t.is(parseTimelineToken(writeSyncToken(at(epoch + 12))), (epoch + 12) as Position)
})

test('tokens of another epoch or of the future are not of this history', t => {
  const store = { epoch: 2, durablePosition: (2 * epoch + 100) as Position }
  t.true(isOfThisHistory(at(2 * epoch + 100), store))
  t.true(isOfThisHistory(at(2 * epoch), store))
  t.false(isOfThisHistory(at(2 * epoch + 101), store))
  t.false(isOfThisHistory(at(epoch + 50), store))
  t.false(isOfThisHistory(at(3 * epoch), store))
  t.false(isOfThisHistory(at(2 * epoch + 5, { inbox: (2 * epoch + 6) as Position }), store))
})
