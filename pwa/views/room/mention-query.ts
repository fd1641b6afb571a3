/** The name that is being typed after `@`, and who it may be. Pure. */
import type { Member } from '../../worker/calls.ts'
import { plainName } from '../parts/plain-name.ts'

export interface MentionQuery {
  /** Where `@` stands. */
  readonly start: number
  /** What is typed after it. */
  readonly text: string
}

/** A person, or everybody, as chosen. `name` is what stands behind `@` in the text. */
export interface Mention {
  /** Null: the whole room. */
  readonly userId: string | null
  readonly name: string
}

const longestQuery = 40
export const roomMention = 'room'

/** Null: nobody is being mentioned at the caret. */
export function mentionQuery(text: string, caret: number): MentionQuery | null {
  const before = text.slice(Math.max(0, caret - longestQuery - 1), caret)
  const found = /(?:^|[\s([{"'«„“])@([^\s@]*(?: [^\s@]*)?)$/u.exec(before)
  if (!found) return null
  const query = found[1]!
  return { start: caret - query.length - 1, text: query }
}

/** Those whose name or id begins like this first, then those that hold it. Who wrote lately comes before who did not. */
export function matchingMembers(
  members: readonly Member[],
  query: string,
  { recent, ourUserId, limit }: { recent: readonly string[]; ourUserId: string; limit: number },
): Member[] {
  const wanted = folded(query)
  const ranked = members.flatMap(member => {
    if (member.userId === ourUserId || (member.membership !== 'join' && member.membership !== 'invite'))
      return []
    const rank = rankOf(member, wanted)
    return rank === null ? [] : [{ member, rank, lately: lately(recent, member.userId) }]
  })
  ranked.sort((a, b) => a.rank - b.rank || a.lately - b.lately || a.member.name.localeCompare(b.member.name))
  return ranked.slice(0, limit).map(({ member }) => member)
}

/** The text with the chosen name in the query's place, and where the caret stands then. */
export function withMention(
  text: string,
  query: MentionQuery,
  caret: number,
  name: string,
): { text: string; caret: number } {
  const inserted = `@${name} `
  const after = text.slice(caret).replace(/^ /, '')
  return { text: text.slice(0, query.start) + inserted + after, caret: query.start + inserted.length }
}

/** The name as it stands in a text: harmless, on one line. */
export function mentionName(member: Pick<Member, 'name' | 'userId'>): string {
  return plainName(member.name, 60) ?? member.userId.slice(1).split(':')[0]!
}

/** Those of the chosen who are still in the text. */
export function presentMentions(text: string, chosen: readonly Mention[]): Mention[] {
  const seen = new Set<string>()
  return chosen.filter(mention => {
    const id = mention.userId ?? roomMention
    if (seen.has(id) || !text.includes(`@${mention.name}`)) return false
    seen.add(id)
    return true
  })
}

function rankOf(member: Member, wanted: string): number | null {
  if (wanted === '') return 1
  const name = folded(member.name)
  const localpart = folded(member.userId.slice(1).split(':')[0]!)
  if (name.startsWith(wanted)) return 0
  if (localpart.startsWith(wanted) || name.split(' ').some(word => word.startsWith(wanted))) return 1
  return name.includes(wanted) ? 2 : null
}

function lately(recent: readonly string[], userId: string): number {
  const at = recent.indexOf(userId)
  return at === -1 ? recent.length : at
}

/** Without case, accents and Arabic vowel signs; forms of alef and the like are one. */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}\u0640]/gu, '')
    .replace(/[أإآٱ]/g, 'ا')
    .replace(/ى/g, 'ي')
    .replace(/ة/g, 'ه')
    .toLowerCase()
}
