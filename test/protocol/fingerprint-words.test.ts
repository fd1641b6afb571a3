import test from 'ava'
import {
  fingerprintLines,
  fingerprintWords,
  sameFingerprint,
} from '../../server/protocol/fingerprint-words.ts'
import { sha256 } from '../support/primitives.ts'

/** A hash whose bytes are what the test wants. */
const bytes = (from: number) => () => Uint8Array.from({ length: 32 }, (_, i) => (from + i) & 255)

test('the list is the published one: 256 words of two syllables and 256 of three, all different', t => {
  const words = new Set<string>()
  for (let from = 0; from < 256; from++) {
    for (const word of fingerprintWords(new Uint8Array(32), bytes(from))) words.add(word)
  }
  t.is(words.size, 512)
  // The example of PGPfone's owner's manual: E582 94F2 E9A2 2748 6E8B.
  const known = [0xe5, 0x82, 0x94, 0xf2, 0xe9, 0xa2, 0x27, 0x48, 0x6e, 0x8b]
  const read = fingerprintWords(new Uint8Array(32), () =>
    Uint8Array.from([...known, ...new Array(22).fill(0)]),
  )
  t.is(
    read.slice(0, 10).join(' '),
    'topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa',
  )
})

test('sixteen words, four a line; another key has other words', t => {
  const words = fingerprintWords(new Uint8Array(32), sha256)
  t.is(words.length, 16)
  t.is(fingerprintLines(words).length, 4)
  t.is(fingerprintLines(words)[0], words.slice(0, 4).join(' '))
  t.not(words.join(), fingerprintWords(new Uint8Array(32).fill(1), sha256).join())
})

test('typed words are compared as people type: case, commas and lines do not matter, order and number do', t => {
  const words = fingerprintWords(new Uint8Array(32), sha256)
  t.true(sameFingerprint(words, words.join(', ').toUpperCase()))
  t.true(sameFingerprint(words, fingerprintLines(words).join('\n')))
  t.false(sameFingerprint(words, words.slice(1).join(' ')))
  t.false(sameFingerprint(words, [...words].reverse().join(' ')))
  t.false(sameFingerprint(words, `${words.join(' ')} extra`))
  t.false(sameFingerprint(words, ''))
})
