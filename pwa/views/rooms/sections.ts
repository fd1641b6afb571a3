/**
 * The order of a room list: invitations, favourites, then the organisation's tree of spaces, other rooms, people. Pure.
 *
 * A room stands once: under the first space that lists it, or among the people. Within a section what happened last is first; a
 * space's own order counts for the spaces in it.
 */
import type { RoomEntry } from '../../sync/room-entry.ts'

export type SectionKind = 'invitations' | 'favourites' | 'space' | 'rooms' | 'people' | 'low'

export interface Section {
  readonly kind: SectionKind
  /** Of a space: its room id. */
  readonly id: string
  readonly space: RoomEntry | null
  /** 0: at the top; a space in a space is 1. */
  readonly depth: number
  readonly rooms: readonly RoomEntry[]
}

export type Filter = 'all' | 'unread' | 'mentions' | 'people'

export function matchesFilter(entry: RoomEntry, filter: Filter): boolean {
  switch (filter) {
    case 'all':
      return true
    case 'unread':
      return isUnread(entry) || entry.membership === 'invite'
    case 'mentions':
      return entry.mentions > 0
    case 'people':
      return entry.directWith.length > 0
    default:
      return filter satisfies never
  }
}

export function isUnread(entry: RoomEntry): boolean {
  return (entry.unread > 0 && !entry.muted) || entry.mentions > 0 || entry.markedUnread
}

export function sectionsOf(entries: Iterable<RoomEntry>, filter: Filter): Section[] {
  const known = new Map([...entries].map(entry => [entry.roomId, entry]))
  const shown = [...known.values()].filter(
    entry =>
      !entry.isSpace &&
      (entry.membership === 'join' || entry.membership === 'invite' || entry.membership === 'knock') &&
      !isReplaced(entry, known) &&
      matchesFilter(entry, filter),
  )
  const placed = new Set<string>()
  const take = (which: (entry: RoomEntry) => boolean): RoomEntry[] => {
    const rooms = shown.filter(entry => !placed.has(entry.roomId) && which(entry)).sort(newestFirst)
    for (const { roomId } of rooms) placed.add(roomId)
    return rooms
  }
  const section = (kind: SectionKind, rooms: readonly RoomEntry[]): Section => ({
    kind,
    id: kind,
    space: null,
    depth: 0,
    rooms,
  })
  const sections: Section[] = [
    section('invitations', [
      ...take(entry => entry.membership === 'invite'),
      ...[...known.values()].filter(entry => entry.isSpace && entry.membership === 'invite'),
    ]),
    section(
      'favourites',
      take(entry => entry.favourite),
    ),
  ]
  const low = take(entry => entry.lowPriority)
  const people = take(entry => entry.directWith.length > 0)
  const visited = new Set<string>()
  const visit = (space: RoomEntry, depth: number) => {
    // A tree by agreement only: a space may list its own parent.
    if (visited.has(space.roomId)) return
    visited.add(space.roomId)
    const children = new Set(space.children)
    const rooms = take(entry => children.has(entry.roomId) || entry.parents.includes(space.roomId))
    sections.push({ kind: 'space', id: space.roomId, space, depth, rooms })
    for (const child of space.children) {
      const inner = known.get(child)
      if (inner?.isSpace && inner.membership === 'join') visit(inner, depth + 1)
    }
  }
  for (const space of topSpaces(known)) visit(space, 0)
  sections.push(
    section(
      'rooms',
      take(() => true),
    ),
    section('people', people),
    section('low', low),
  )
  const hasRooms = (at: Section) => at.rooms.length > 0
  // An empty space stays where somebody looks at everything: it says where things belong.
  return sections.filter(at => hasRooms(at) || (at.kind === 'space' && filter === 'all'))
}

/** All rooms in the order in which they are shown. */
export function inOrder(sections: readonly Section[]): RoomEntry[] {
  return sections.flatMap(({ rooms }) => rooms)
}

/** The next room with something unread, after this one and around. */
export function nextUnread(
  sections: readonly Section[],
  roomId: string | null,
  step: 1 | -1,
): RoomEntry | null {
  const rooms = inOrder(sections)
  const at = rooms.findIndex(entry => entry.roomId === roomId)
  for (let i = 1; i <= rooms.length; i++) {
    const entry =
      rooms[((((at < 0 && step < 0 ? 0 : at) + step * i) % rooms.length) + rooms.length) % rooms.length]!
    if (isUnread(entry) && entry.roomId !== roomId) return entry
  }
  return null
}

function topSpaces(known: ReadonlyMap<string, RoomEntry>): RoomEntry[] {
  const spaces = [...known.values()].filter(entry => entry.isSpace && entry.membership === 'join')
  const listed = new Set(spaces.flatMap(({ children }) => children))
  const tops = spaces.filter(({ roomId }) => !listed.has(roomId))
  // Spaces that list each other have no top: then all of them are.
  const chosen = tops.length > 0 ? tops : spaces
  return chosen.sort((a, b) => new Intl.Collator().compare(a.name ?? '', b.name ?? ''))
}

/** The room that took its place is here: the old one is only history. */
function isReplaced(entry: RoomEntry, known: ReadonlyMap<string, RoomEntry>): boolean {
  return entry.replacedBy !== null && known.get(entry.replacedBy)?.membership === 'join'
}

function newestFirst(a: RoomEntry, b: RoomEntry): number {
  return b.lastTs - a.lastTs || (a.roomId < b.roomId ? -1 : 1)
}
