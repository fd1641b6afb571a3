import test from 'ava'
import { maxOrder, parseTimelineToken, timelineToken, tokenBelow } from '../../server/rooms/timeline-token.ts'

test('a token says its place, older history than the room included', t => {
  for (const order of [0, 1, 2 ** 36 + 5, -7, maxOrder]) t.is(parseTimelineToken(timelineToken(order)), order)
  t.is(parseTimelineToken(tokenBelow(5)), 4)
})

test('a sync token counts by its first number', t => {
  t.is(parseTimelineToken('s68719476741_9_2'), 68719476741)
})

for (const text of [
  '',
  't',
  'x5',
  't5x',
  't1.5',
  't99999999999999999',
  't4503599627370496',
  't-9007199254740991',
  't5 ',
  '5',
]) {
  test(`no token: ${JSON.stringify(text)}`, t => {
    t.is(parseTimelineToken(text), null)
  })
}
