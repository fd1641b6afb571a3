/**
 * A link's secret that a person can type: twelve characters of Crockford's base 32, `7KQ2-M0XW-R9TD`.
 *
 * 60 bits. Whoever guesses at the server's door (two attempts a second at most, by rate limit) has no chance in the day that a
 * code lives; who holds the store's hashes could in that day try some of them, and no more. Read aloud or copied from
 * paper, I and L are 1 and O is 0; case, spaces and dashes do not matter. There is no U.
 */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const length = 12

export function newCode(randomBytes: (size: number) => Uint8Array): string {
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
  return code.length === length && [...code].every(letter => letters.includes(letter)) ? code : typed
}
