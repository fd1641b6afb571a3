/**
 * Names of mentioned people in plain text, found again: `@Amal Nasser please …`. A name says nothing of the direction of the
 * sentence around it, so it must stand apart. Pure.
 */
export interface MentionedPart {
  readonly text: string
  /** Who is mentioned here; null: other words. */
  readonly userId: string | null
}

/** @param names what the room calls those whom the message mentions, by user id */
export function mentionedParts(text: string, names: ReadonlyMap<string, string>): MentionedPart[] {
  const parts: MentionedPart[] = []
  let from = 0
  let at = text.indexOf('@')
  while (at !== -1) {
    const found = longestAt(text, at + 1, names)
    if (found) {
      if (at > from) parts.push({ text: text.slice(from, at), userId: null })
      from = at + 1 + found.name.length
      parts.push({ text: text.slice(at, from), userId: found.userId })
    }
    at = text.indexOf('@', Math.max(from, at + 1))
  }
  if (from < text.length) parts.push({ text: text.slice(from), userId: null })
  return parts
}

function longestAt(text: string, start: number, names: ReadonlyMap<string, string>) {
  let found: { userId: string; name: string } | null = null
  for (const [userId, name] of names) {
    if (name !== '' && text.startsWith(name, start) && name.length > (found?.name.length ?? 0))
      found = { userId, name }
  }
  return found
}
