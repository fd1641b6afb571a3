/** What the person chose about the list, and what follows from it. Kept sealed: it says which spaces there are. */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import { call, rooms } from '../account.ts'
import { route } from '../route.ts'
import { type KeptList, parseKeptList } from './kept-list.ts'
import { type Filter, isUnread, sectionsOf } from './sections.ts'

const store = 'setting'
const id = 'room-list'

export const filter = signal<Filter>('all')
/** Spaces and sections that were closed. */
export const closed = signal<ReadonlySet<string>>(new Set())
/** What was kept is here: before, the list would change under the eyes. */
export const isListRead = signal(false)
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

/** As it was left, from then on kept with each change, until what this returns is called. */
export function keepList(): () => void {
  let stop = () => {}
  let isGone = false
  const begin = (kept: KeptList) => {
    if (isGone) return
    let before = kept
    filter.value = kept.filter
    closed.value = new Set(kept.closed)
    isListRead.value = true
    stop = effect(() => {
      const now = { filter: filter.value, closed: [...closed.value] }
      if (JSON.stringify(now) === JSON.stringify(before)) return
      before = now
      // Full, or locked this moment: it counts until the tab is closed.
      call('write', [{ collection: store, id, value: now }]).catch(() => {})
    })
  }
  call('read', { store, ids: [id] }).then(
    ([kept]) => begin(parseKeptList(kept)),
    () => begin(parseKeptList(undefined)),
  )
  return () => {
    isGone = true
    stop()
    isListRead.value = false
  }
}

function matching(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => {
    matches.value = list.matches
  })
  return matches
}
