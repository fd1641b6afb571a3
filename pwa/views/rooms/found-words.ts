/** A text in parts, of which some were searched for. Pure. */
import { normaliseText, queryWords } from '../../vault/search-words.ts'

export interface Part {
  readonly text: string
  readonly isFound: boolean
}

const word = /[\p{L}\p{N}\p{M}]+/gu
/** As the index does it: an Arabic word is found without its article too. */
const article = /^[وفبك]?ال(?=..)/

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
