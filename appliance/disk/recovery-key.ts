/**
 * The recovery key: 256 bits that a person writes down and types back, in letters that lie on the same keys of every Latin
 * keyboard, with a check letter a group, so that a typo is named by its group before the disk is asked.
 *
 * As text (small letters, groups joined by hyphens) it is the LUKS passphrase, so that any machine can open the disk with it.
 * It is shown once and kept nowhere else. Its format is written down in README.md.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'

declare const tag: unique symbol
/** Well-formed, in the one way of writing that the disk knows. */
export type RecoveryKey = string & { readonly [tag]: 'RecoveryKey' }

export type RecoveryKeyProblem =
  /** A letter that no recovery key has; `group` counts from 1. */
  | { readonly kind: 'letter'; readonly group: number; readonly letter: string }
  /** The group's check letter does not fit. */
  | { readonly kind: 'group'; readonly group: number }
  /** So many letters were typed instead of 80. */
  | { readonly kind: 'length'; readonly letters: number }

const letters = 'cbdefghijklnrtuv'
const groups = 16
const groupLetters = 5
const lineGroups = 4
export const recoveryKeyLetters = groups * groupLetters

export function newRecoveryKey(random: (bytes: number) => Uint8Array = randomBytes): RecoveryKey {
  const nibbles = [...random(32)].flatMap(byte => [byte >> 4, byte & 15])
  const written = Array.from({ length: groups }, (_, i) => {
    const data = nibbles.slice(4 * i, 4 * i + 4)
    return [...data, check(data, i)].map(nibble => letters[nibble]).join('')
  })
  return written.join('-') as RecoveryKey
}

/** Capitals, blanks, hyphens and line breaks do not matter. */
export function readRecoveryKey(typed: string): RecoveryKey | RecoveryKeyProblem {
  const plain = [...typed.toLowerCase().replaceAll(/[\s\p{Pd}_.,]/gu, '')]
  const wrong = plain.findIndex(letter => !letters.includes(letter))
  if (wrong >= 0)
    return { kind: 'letter', group: Math.floor(wrong / groupLetters) + 1, letter: plain[wrong]! }
  const written = Array.from({ length: Math.ceil(plain.length / groupLetters) }, (_, i) =>
    plain.slice(i * groupLetters, (i + 1) * groupLetters),
  )
  // A letter too many or too few shifts all that follows: the first group that does not fit is where to look.
  const unfit = written.findIndex((group, i) => i >= groups || !fits(group, i))
  if (plain.length !== recoveryKeyLetters && (unfit < 0 || unfit >= groups)) {
    return { kind: 'length', letters: plain.length }
  }
  if (unfit >= 0) {
    return unfit === written.length - 1 && plain.length < recoveryKeyLetters
      ? { kind: 'length', letters: plain.length }
      : { kind: 'group', group: unfit + 1 }
  }
  return written.map(group => group.join('')).join('-') as RecoveryKey
}

/** What was typed has the shape of a recovery key rather than of a passphrase: almost all its letters are a key's. */
export function looksLikeRecoveryKey(typed: string): boolean {
  const plain = [...typed.toLowerCase().replaceAll(/[\s\p{Pd}]/gu, '')]
  return plain.length >= 60 && plain.filter(letter => letters.includes(letter)).length >= plain.length - 6
}

/** Four lines of four groups, to be shown and written down. */
export function recoveryKeyLines(key: RecoveryKey): string[] {
  const all = key.split('-')
  return Array.from({ length: groups / lineGroups }, (_, line) =>
    all.slice(line * lineGroups, (line + 1) * lineGroups).join('-'),
  )
}

export function sameRecoveryKey(a: RecoveryKey, b: RecoveryKey): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/** What the console says to whoever typed it. */
export function recoveryKeyProblemText(problem: RecoveryKeyProblem): string {
  switch (problem.kind) {
    case 'letter':
      return `Group ${problem.group} has “${printable(problem.letter)}”, which no recovery key has. Its letters are ${letters.split('').sort().join(' ')}.`
    case 'group':
      return `Group ${problem.group} is not right: one of its five letters, or its place. Compare it with what you wrote down.`
    case 'length':
      return `A recovery key has ${recoveryKeyLetters} letters in ${groups} groups; ${problem.letters} were typed.`
    default:
      return problem satisfies never
  }
}

function printable(letter: string): string {
  return letter.replaceAll(/[\p{Cc}\p{Cf}]/gu, '·')
}

function fits(group: readonly string[], index: number): boolean {
  const nibbles = group.map(letter => letters.indexOf(letter))
  return nibbles.length === groupLetters && check(nibbles.slice(0, 4), index) === nibbles[4]
}

/** Over GF(16): each place has its own weight, so neighbours that are exchanged are noticed; the group's number joins in. */
function check(data: readonly number[], index: number): number {
  return data.reduce((sum, nibble, i) => sum ^ times(nibble, i + 1), index)
}

/** nibble · α^power, modulo x⁴ + x + 1. */
function times(nibble: number, power: number): number {
  let product = nibble
  for (let i = 0; i < power; i++) product = product & 8 ? ((product << 1) ^ 0b10011) & 15 : product << 1
  return product
}
