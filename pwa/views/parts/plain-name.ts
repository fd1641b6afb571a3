/**
 * Names that people and servers give, made harmless: they come from anybody, and stand beside what must be believed.
 *
 * Without direction overrides and invisible characters, with at most a few marks on a letter, on one line, and cut.
 * Views still isolate them (`bdi`), for their direction is their own.
 */

const maxMarks = 4
const longest = 100
const invisible =
  /[\p{Cc}\p{Cs}\p{Co}\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e007f}]/gu
const piledMarks = new RegExp(`(\\p{M}{${maxMarks}})\\p{M}+`, 'gu')

/** Null where nothing of it can be seen. */
export function plainName(name: unknown, limit = longest): string | null {
  if (typeof name !== 'string') return null
  // What is cut away anyway need not be looked at.
  const plain = name
    .slice(0, 20 * limit)
    .replace(invisible, '')
    .replace(piledMarks, '$1')
    .replace(/\s+/gu, ' ')
    .trim()
  if (!/[^\s\p{M}]/u.test(plain)) return null
  return cut(plain, limit)
}

/** To so many characters as people count them. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  let size = 0
  let count = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (++count > limit) return `${text.slice(0, size)}…`
    size += segment.length
  }
  return text
}

/** One or two letters that stand for a name where there is no picture. */
export function initials(name: string): string {
  const words = name.split(/[\s_.-]+/u).filter(word => /[\p{L}\p{N}]/u.test(word))
  const chosen = words.length > 1 ? [words[0]!, words.at(-1)!] : words.slice(0, 1)
  return chosen.map(word => (/[\p{L}\p{N}]/u.exec(word)?.[0] ?? '').toUpperCase()).join('\u200c')
}

/** 0 to 7, the same for an id everywhere: which ink a person has. */
export function inkOf(id: string): number {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) | 0
  return (hash >>> 0) % 8
}
