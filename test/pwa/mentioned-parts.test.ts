import test from 'ava'
import { mentionedParts } from '../../pwa/views/room/mentioned-parts.ts'

const names = new Map([
  ['@amal:c', 'أمل ناصر'],
  ['@jo:c', 'Jo'],
  ['@john:c', 'Jo Hill'],
  ['@nobody:c', ''],
])
const said = (text: string) => mentionedParts(text, names).map(part => [part.text, part.userId])

test('mentioned people are found in plain text, the longest name first', t => {
  t.deepEqual(said('@أمل ناصر the painters'), [
    ['@أمل ناصر', '@amal:c'],
    [' the painters', null],
  ])
  t.deepEqual(said('hi @Jo Hill, @Jo'), [
    ['hi ', null],
    ['@Jo Hill', '@john:c'],
    [', ', null],
    ['@Jo', '@jo:c'],
  ])
})

test('what nobody is called stays as it is', t => {
  for (const text of ['', '@', '@@', 'a@b.c', '@Somebody else', 'no one'])
    t.is(
      mentionedParts(text, names)
        .map(part => part.text)
        .join(''),
      text,
    )
  t.deepEqual(said('a@b.c'), [['a@b.c', null]])
})
