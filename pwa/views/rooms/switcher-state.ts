/** The quick switch: whether it is open, and what matches what was typed. */
import { signal } from '@preact/signals'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { normaliseText, queryWords } from '../../vault/search-words.ts'
import { isUnread } from './sections.ts'

export const isSwitching = signal(false)

export function openSwitcher(): void {
  isSwitching.value = true
}

/** Every word that was typed begins a word of it. */
export function matchesWords(name: string, typed: string): boolean {
  const parts = queryWords(name)
  return queryWords(typed).every(word => parts.some(part => part.startsWith(word)))
}

/** What begins with the whole text is first, then what is unread, then what is newest. */
export function matchingRooms(entries: Iterable<RoomEntry>, typed: string, limit: number): RoomEntry[] {
  const wanted = normaliseText(typed.trim())
  const scored: [score: number, entry: RoomEntry][] = []
  for (const entry of entries) {
    if (entry.membership !== 'join' && entry.membership !== 'invite') continue
    if (!matchesWords(`${entry.name ?? ''} ${entry.directWith.join(' ')}`, typed)) continue
    const isBeginning = wanted !== '' && normaliseText(entry.name ?? '').startsWith(wanted)
    scored.push([(isBeginning ? 2 : 0) + Number(isUnread(entry)), entry])
  }
  return scored
    .sort(([one, a], [other, b]) => other - one || b.lastTs - a.lastTs)
    .slice(0, limit)
    .map(([, entry]) => entry)
}

export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent)
}
