/** The recovery key: what a person copies from a screen to paper and back, and what goes wrong on the way. */
import test from 'ava'
import * as fc from 'fast-check'
import {
  looksLikeRecoveryKey,
  newRecoveryKey,
  readRecoveryKey,
  recoveryKeyLines,
  recoveryKeyProblemText,
} from '../../appliance/disk/recovery-key.ts'

const letters = 'cbdefghijklnrtuv'
const keys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => newRecoveryKey(() => bytes))

test('a key of known bytes is written as it always was', t => {
  const key = newRecoveryKey(length => Uint8Array.from({ length }, (_, i) => i * 7))
  t.deepEqual(recoveryKeyLines(key), [
    'cccik-cubgn-brdee-dlebb',
    'ejevt-fhftf-gfgnv-hdhku',
    'iciid-iujgk-jrket-kllbj',
    'ljlvc-nhntc-rfrnd-tdtkf',
  ])
})

test('what was written down is read back, whatever capitals, blanks and hyphens', t => {
  fc.assert(
    fc.property(keys, key => {
      const lines = recoveryKeyLines(key)
      for (const typed of [
        key,
        key.toUpperCase(),
        lines.join('\n'),
        ` ${lines.join(' ')} `,
        key.replaceAll('-', ''),
      ]) {
        if (readRecoveryKey(typed) !== key) return false
      }
      return lines.length === 4 && lines.every(line => line.length === 4 * 5 + 3)
    }),
  )
  t.pass()
})

test('one wrong letter is always noticed, and its group named', t => {
  fc.assert(
    fc.property(keys, fc.nat(79), fc.integer({ min: 1, max: 15 }), (key, at, by) => {
      const plain = [...key.replaceAll('-', '')]
      plain[at] = letters[(letters.indexOf(plain[at]!) + by) % 16]!
      const read = readRecoveryKey(plain.join(''))
      return typeof read === 'object' && read.kind === 'group' && read.group === Math.floor(at / 5) + 1
    }),
  )
  t.pass()
})

test('two neighbours that were exchanged are noticed, and two groups', t => {
  fc.assert(
    fc.property(keys, fc.nat(15), fc.nat(3), (key, group, place) => {
      const plain = [...key.replaceAll('-', '')]
      const at = group * 5 + place
      if (plain[at] === plain[at + 1]) return true
      ;[plain[at], plain[at + 1]] = [plain[at + 1]!, plain[at]!]
      const read = readRecoveryKey(plain.join(''))
      return typeof read === 'object' && read.kind === 'group' && read.group === group + 1
    }),
  )
  fc.assert(
    fc.property(keys, fc.nat(15), fc.nat(15), (key, one, other) => {
      const groups = key.split('-')
      if (groups[one] === groups[other]) return true
      ;[groups[one], groups[other]] = [groups[other]!, groups[one]!]
      const read = readRecoveryKey(groups.join('-'))
      return typeof read === 'object' && read.kind === 'group' && read.group === Math.min(one, other) + 1
    }),
  )
  t.pass()
})

for (const [what, change, problem] of [
  ['a letter that is missing at the end', (key: string) => key.slice(0, -1), { kind: 'length', letters: 79 }],
  ['a group that is missing at the end', (key: string) => key.slice(0, -6), { kind: 'length', letters: 75 }],
  ['nothing at all', () => '', { kind: 'length', letters: 0 }],
  ['a letter too many', (key: string) => `${key}c`, { kind: 'length', letters: 81 }],
  [
    'a letter that no key has',
    (key: string) => `${key.slice(0, 13)}a${key.slice(14)}`,
    { kind: 'letter', group: 3, letter: 'a' },
  ],
] as const) {
  test(`${what} is said`, t => {
    const read = readRecoveryKey(change(newRecoveryKey()))
    t.deepEqual(read, problem as never)
    t.regex(recoveryKeyProblemText(read as never), /\.$/)
  })
}

test('a control character that was typed does not reach the screen', t => {
  const read = readRecoveryKey('\u001b')
  t.false(recoveryKeyProblemText(read as never).includes('\u001b'))
})

test('a key with typos still looks like one, a passphrase does not', t => {
  const key = newRecoveryKey()
  t.true(looksLikeRecoveryKey(key.replace(/./, 'a')))
  t.false(
    looksLikeRecoveryKey('correct horse battery staple and some more words to make it really quite long'),
  )
})
