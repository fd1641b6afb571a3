/** Recovery keys as people type them: dashes, spaces and capitals do not matter. */

export const plainKey = (typed: string): string => typed.toLowerCase().replaceAll(/[^0-9a-z]/g, '')

export function sameKey(typed: string, key: string): boolean {
  const plain = plainKey(typed)
  return plain !== '' && plain === plainKey(key)
}
