/** What the person chose about the list, and what follows from it. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { rooms } from '../account.ts'
import { route } from '../route.ts'
import { type Filter, isUnread, sectionsOf } from './sections.ts'

export const filter = signal<Filter>('all')
/** Spaces and sections that were closed. */
export const closed = signal<ReadonlySet<string>>(new Set())
/** One column at a time. */
export const isPhone = matching('(max-width: 46rem)')
/** Three columns. */
export const isWide = matching('(min-width: 72rem)')
/** The side pane of a room; where it is not wide it lies over the room. */
export const isSideOpen = signal(isWide.peek())

export const shownRoom = computed(() => (route.value.view === 'room' ? route.value.roomId : null))
export const sections = computed(() => sectionsOf(rooms.value?.values() ?? [], filter.value, shownRoom.value))

/** The line of the list that had the focus last. */
export const lineInFocus = signal<string | null>(null)

/** Where Tab enters the list: where it was left, else the room that is looked at, else the top. */
export const tabStop = computed(() => {
  const stops = sections.value.flatMap(({ id, rooms: inIt }) => [
    `section ${id}`,
    ...(closed.value.has(id) ? [] : inIt.map(({ roomId }) => roomId)),
  ])
  const wanted = [lineInFocus.value, shownRoom.value]
  return wanted.find(stop => stop !== null && stops.includes(stop)) ?? stops[0] ?? null
})

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

function matching(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => {
    matches.value = list.matches
  })
  return matches
}
