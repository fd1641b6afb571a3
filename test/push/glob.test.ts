import test from 'ava'
import { globMatcher, wordMatcher } from '../../server/push/glob.ts'

const whole: [pattern: string, value: string, matches: boolean][] = [
  // The specification's examples.
  ['lunc?*', 'Lunch plans', true],
  ['lunc?*', 'LUNCH', true],
  ['lunc?*', ' lunch', false],
  ['lunc?*', 'lunc', false],
  ['', '', true],
  ['', 'x', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['m.room.*', 'm.room.message', true],
  ['m.room.*', 'm.reaction', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*b', 'abab', true],
  ['a.c', 'abc', false],
  ['?', '😀', true],
  ['??', '😀', false],
  ['x[1]', 'X[1]', true],
]

for (const [pattern, value, matches] of whole) {
  test(`the pattern ${JSON.stringify(pattern)} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(value)}`, t => {
    t.is(globMatcher(pattern)(value), matches)
  })
}

const words: [pattern: string, body: string, matches: boolean][] = [
  // The specification's examples.
  ['ex*ple', 'An example event.', true],
  ['ex*ple', 'exple', true],
  ['ex*ple', 'An exciting triple-whammy', true],
  ['cake', 'I like CAKE!', true],
  ['cake', 'cakes', false],
  ['cake', 'cakes and cake', true],
  ['cake', 'pan_cake', false],
  ['cake', 'pan-cake', true],
  ['cake*', 'cakes', true],
  ['*cake', 'pancake', true],
  ['tea*time', 'teatime', true],
  ['tea*time', 'tea timer', false],
  ['tea*time', 'tea timer time', true],
  ['tea*time', 'steam time', false],
  ['Jörg', 'hallo jörg', true],
  ['', 'anything', false],
]

for (const [pattern, body, matches] of words) {
  test(`the words ${JSON.stringify(pattern)} ${matches ? 'are' : 'are not'} in ${JSON.stringify(body)}`, t => {
    t.is(wordMatcher(pattern)(body), matches)
  })
}

test('a pattern of many stars is matched in no time', t => {
  const started = process.cpuUsage()
  t.false(globMatcher(`${'*a'.repeat(500)}b`)('a'.repeat(60_000)))
  t.false(wordMatcher(`${'a*'.repeat(500)}b`)('a'.repeat(60_000)))
  t.true(process.cpuUsage(started).user < 2_000_000)
})

test('patterns that nearly match everywhere end when their work is done, and then match nothing', t => {
  const body = 'a'.repeat(60_000)
  const work = { left: 20_000_000 }
  const nearly = wordMatcher(`${'a'.repeat(900)}b`)
  const started = process.cpuUsage()
  for (let i = 0; i < 250; i++) t.false(nearly(body, work))
  t.true(process.cpuUsage(started).user < 10_000_000)
  t.false(wordMatcher('a')('a', work))
  t.true(wordMatcher('a')('a', { left: 100 }))
})
