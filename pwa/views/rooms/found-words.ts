/** A text in parts, of which some were searched for. Pure. */
import { normaliseText, queryWords } from '../../vault/search-words.ts'

export interface Part {
  readonly text: string
  readonly isFound: boolean
}

const word = /[\p{L}\p{N}\p{M}]+/gu
/** As the index does it: an Arabic word is found without its article too. */
const article = /^[وفبك]?ال(?=..)/

const before = 60

/** The part of a long text in which the first word was found; a short one whole. */
export function excerpt(text: string, searched: string, length: number): string {
  if (text.length <= length) return text
  const [first, second] = foundParts(text, searched)
  const at = first?.isFound ? 0 : second ? first!.text.length : 0
  const start = at < length - before ? 0 : at - before
  return `${start > 0 ? '…' : ''}${text.slice(start, start + length)}…`
}

/** What a word begins with is enough to have found it. */
export function foundParts(text: string, searched: string): Part[] {
  const wanted = queryWords(searched)
  const parts: Part[] = []
  let from = 0
  for (const { 0: each, index } of text.matchAll(word)) {
    const plain = normaliseText(each)
    const isFound = wanted.some(
      beginning => plain.startsWith(beginning) || plain.replace(article, '').startsWith(beginning),
    )
    if (!isFound) continue
    if (index > from) parts.push({ text: text.slice(from, index), isFound: false })
    parts.push({ text: each, isFound: true })
    from = index + each.length
  }
  if (from < text.length) parts.push({ text: text.slice(from), isFound: false })
  return parts
}
