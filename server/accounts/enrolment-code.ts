/**
 * A link's secret that a person can type, in Crockford's base 32: `7KQ2-M0XW-R9TD` for a day, sixteen characters for longer.
 *
 * Twelve are 60 bits. Whoever guesses at the server's door (two attempts a second at most, by rate limit) has no chance in the day that
 * such a code lives; who holds the store's hashes could in that day try some of them, and no more. Sixteen are 80 bits, which
 * withstand that for as long as a link may live. Read aloud or copied from
 * paper, I and L are 1 and O is 0; case, spaces and dashes do not matter. There is no U.
 */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const shortLength = 12
const longLength = 16
const shortLifetimeMs = 24 * 60 * 60 * 1000

export function newCode(randomBytes: (size: number) => Uint8Array, lifetimeMs: number): string {
  const length = lifetimeMs > shortLifetimeMs ? longLength : shortLength
  return Array.from(randomBytes(length), byte => letters[byte % 32]).join('')
}

/** As people read it. */
export function shownCode(code: string): string {
  return code.match(/.{4}/g)!.join('-')
}

/** The secret that is meant: a code in any way of writing it, or a link's secret as it stands. */
export function secretIn(typed: string): string {
  const code = typed
    .toUpperCase()
    .replace(/[\s\p{Pd}]/gu, '')
    .replaceAll(/[IL]/g, '1')
    .replaceAll('O', '0')
  const isLong = code.length === longLength
  return (isLong || code.length === shortLength) && [...code].every(letter => letters.includes(letter))
    ? code
    : typed
}
