/** The quick switch: what was typed, and what matches it. */
import { signal } from '@preact/signals'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { isUnread } from './sections.ts'

export const isSwitching = signal(false)

export function openSwitcher(): void {
  isSwitching.value = true
}

/** As search does it: case, accents and Arabic forms do not matter. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\u0622\u0623\u0625\u0671]/g, '\u0627')
    .replace(/\u0649/g, '\u064a')
    .replace(/\u0629/g, '\u0647')
    .toLocaleLowerCase()
}

/** Every word begins a word of the name. What begins with the whole text is first, then what is unread, then what is newest. */
export function matchingRooms(entries: Iterable<RoomEntry>, text: string, limit: number): RoomEntry[] {
  const words = folded(text).split(/\s+/).filter(Boolean)
  const scored: [score: number, entry: RoomEntry][] = []
  for (const entry of entries) {
    if (entry.membership !== 'join' && entry.membership !== 'invite') continue
    const name = folded(`${entry.name ?? ''} ${entry.directWith.join(' ')}`)
    const parts = name.split(/[\s@:.,_-]+/)
    if (!words.every(word => parts.some(part => part.startsWith(word)))) continue
    scored.push([
      (name.startsWith(folded(text)) && words.length > 0 ? 2 : 0) + (isUnread(entry) ? 1 : 0),
      entry,
    ])
  }
  return scored
    .sort(([one, a], [other, b]) => other - one || b.lastTs - a.lastTs)
    .slice(0, limit)
    .map(([, entry]) => entry)
}
