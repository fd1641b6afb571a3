import test from 'ava'
import { excerpt, foundParts } from '../../../pwa/views/rooms/found-words.ts'
import { matchesWords, matchingRooms } from '../../../pwa/views/rooms/switcher-state.ts'
import { entry } from './entries.ts'

const rooms = [
  entry('!board', { name: 'Clinic board', lastTs: 3 }),
  entry('!night', { name: 'Night shift', lastTs: 2, unread: 1 }),
  entry('!cafe', { name: 'Café Ärzte', lastTs: 1 }),
  entry('!discharge', { name: 'رسائل الخروج', lastTs: 5 }),
  entry('!amal', { name: 'Amal Nasser', directWith: ['@amal:clinic.example'], lastTs: 4 }),
  entry('!left', { name: 'Clinic of old', membership: 'leave' }),
]
const cases: [typed: string, expected: string[]][] = [
  ['cli', ['!board', '!amal']],
  ['board cli', ['!board']],
  ['shi', ['!night']],
  ['ight', []],
  ['cafe arzt', ['!cafe']],
  ['رسايل', ['!discharge']],
  ['رسائل', ['!discharge']],
  ['@amal', ['!amal']],
  ['amal:clinic', ['!amal']],
  ['', ['!night', '!discharge', '!amal', '!board', '!cafe']],
  ['  ', ['!night', '!discharge', '!amal', '!board', '!cafe']],
]
for (const [typed, expected] of cases) {
  test(`“${typed}” finds ${expected.join(' ') || 'nothing'}`, t => {
    t.deepEqual(
      matchingRooms(rooms, typed, 9).map(({ roomId }) => roomId),
      expected,
    )
  })
}

test('what was typed is never a pattern', t => {
  t.false(matchesWords('Clinic board', '(('.concat('x')))
  t.true(matchesWords('Clinic board', '.*'))
  t.true(matchesWords('a (b)', '(b'))
})

const drawn = (text: string, searched: string) =>
  foundParts(text, searched)
    .map(part => (part.isFound ? `[${part.text}]` : part.text))
    .join('')
const found: [text: string, searched: string, expected: string][] = [
  ['The letter for bed 12 is ready.', 'lett 12', 'The [letter] for bed [12] is ready.'],
  ['«Ärzte», sagt sie', 'arz', '«[Ärzte]», sagt sie'],
  ['وصلت الرسالةُ أمس', 'رسالة', 'وصلت [الرسالةُ] أمس'],
  ['nothing here', '', 'nothing here'],
  ['<b>bold</b>', 'bold', '<b>[bold]</b>'],
  ['', 'x', ''],
]
for (const [text, searched, expected] of found) {
  test(`“${searched}” is marked in “${text}”`, t => {
    t.is(drawn(text, searched), expected)
    t.is(
      foundParts(text, searched)
        .map(part => part.text)
        .join(''),
      text,
    )
  })
}

test('of a long text the part is shown in which something was found', t => {
  const long = `${'word '.repeat(300)}needle ${'word '.repeat(300)}`
  const part = excerpt(long, 'need', 200)
  t.true(part.includes('needle') && part.length < 210)
  t.true(part.startsWith('…') && part.endsWith('…'))
  t.is(excerpt('short needle', 'need', 200), 'short needle')
  t.true(excerpt(long, 'word', 200).startsWith('word word'))
  t.true(excerpt(long, 'absent', 200).startsWith('word'))
})
