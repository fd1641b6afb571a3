/** Addresses in plain text, made links. Pure. */
export type TextPart = { readonly text: string; readonly href: string | null }

/** Ends before what closes the sentence around it, not before a bracket that it opened. */
const address = /\b(?:https?:\/\/|mailto:|matrix:)[^\s<>"'`\u2028\u2029\u202a-\u202e\u2066-\u2069]+/giu

export function linkedParts(text: string): TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const match of text.matchAll(address)) {
    const found = trimmed(match[0])
    if (!isAddress(found)) continue
    if (match.index > from) parts.push({ text: text.slice(from, match.index), href: null })
    parts.push({ text: found, href: found })
    from = match.index + found.length
  }
  if (from < text.length) parts.push({ text: text.slice(from), href: null })
  return parts
}

export function isSafeAddress(href: string): boolean {
  return /^(?:https?|mailto|matrix):/i.test(href) && isAddress(href)
}

/**
 * Where a link leads, in case that its words say something else: words that look like an address of another host.
 * Null: the words do not mislead.
 */
export function misledHost(words: string, href: string): string | null {
  const claimed = /(?:^|\s|\/\/)((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?:[/:?#\s]|$)/u
    .exec(words)?.[1]
    ?.toLowerCase()
  if (claimed === undefined) return null
  try {
    const { host, protocol } = new URL(href)
    if (!/^https?:$/.test(protocol)) return null
    return new URL(`https://${claimed}`).host === host || `www.${claimed}` === host ? null : host
  } catch {
    return null
  }
}

function trimmed(found: string): string {
  let end = found.replace(/[.,;:!?…'"»”’]+$/u, '')
  while (/[)\]]$/.test(end) && count(end, end.at(-1)!) > count(end, end.endsWith(')') ? '(' : '[')) {
    end = end.slice(0, -1).replace(/[.,;:!?]+$/, '')
  }
  return end
}

function count(text: string, of: string): number {
  return text.split(of).length - 1
}

function isAddress(text: string): boolean {
  return URL.canParse(text)
}
