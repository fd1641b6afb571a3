/** What the person chose about the list, and what follows from it. */
import { computed, signal } from '@preact/signals'
import { rooms } from '../account.ts'
import { route } from '../route.ts'
import { type Filter, isUnread, sectionsOf } from './sections.ts'

export const filter = signal<Filter>('all')
/** Spaces and sections that were closed. */
export const closed = signal<ReadonlySet<string>>(new Set())
/** The side pane of a room; on a narrow window it lies over the room. */
export const isSideOpen = signal(matchMedia('(min-width: 72rem)').matches)

const phone = matchMedia('(max-width: 46rem)')
/** One column at a time. As in shell.css. */
export const isPhone = signal(phone.matches)
phone.addEventListener('change', () => {
  isPhone.value = phone.matches
})

export const sections = computed(() => sectionsOf(rooms.value?.values() ?? [], filter.value))
export const shownRoom = computed(() => (route.value.view === 'room' ? route.value.roomId : null))

/** What the tab's title and the icon's badge say. */
export const attention = computed(() => {
  let mentions = 0
  let unread = 0
  for (const entry of rooms.value?.values() ?? []) {
    if (entry.membership === 'invite') mentions++
    else if (entry.membership === 'join') {
      mentions += entry.mentions
      if (isUnread(entry)) unread++
    }
  }
  return { mentions, unread }
})

export function toggle(sectionId: string): void {
  const next = new Set(closed.value)
  if (!next.delete(sectionId)) next.add(sectionId)
  closed.value = next
}
