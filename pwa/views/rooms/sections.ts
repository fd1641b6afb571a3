/**
 * The order of a room list: invitations, favourites, the organisation's tree of spaces, other rooms, people. Pure.
 *
 * A room stands once: in the innermost space that lists it, or among the people. Within a section what happened last is
 * first; for the spaces in a space its own order counts. Only what a space says of its rooms counts: a room could
 * claim any space for its own (client-server-api#mspaceparent-relationships).
 */
import type { RoomEntry } from '../../sync/room-entry.ts'

/** Deeper ones are drawn as deep as this. */
const deepest = 3

export type SectionKind = 'invitations' | 'favourites' | 'space' | 'rooms' | 'outside' | 'people' | 'low'

export interface Section {
  readonly kind: SectionKind
  /** Of a space: its room id. */
  readonly id: string
  readonly space: RoomEntry | null
  /** 0: at the top; a space in a space is 1. */
  readonly depth: number
  readonly rooms: readonly RoomEntry[]
}

export const filters = ['all', 'unread', 'mentions', 'people', 'invitations'] as const
export type Filter = (typeof filters)[number]

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
    case 'invitations':
      return entry.membership === 'invite'
    default:
      return filter satisfies never
  }
}

export function isUnread(entry: RoomEntry): boolean {
  return (entry.unread > 0 && !entry.muted) || entry.mentions > 0 || entry.markedUnread
}

/** People of more than one organisation are in it. */
export function isWithOutside(entry: RoomEntry): boolean {
  return entry.servers.length > 1 || entry.guests > 0
}

/** `open`: the room that is looked at; it stays although it may be read by now. */
export function sectionsOf(
  entries: Iterable<RoomEntry>,
  filter: Filter,
  open: string | null = null,
): Section[] {
  const known = new Map([...entries].map(entry => [entry.roomId, entry]))
  const shown = [...known.values()].filter(
    entry =>
      !entry.isSpace &&
      (entry.membership === 'join' || entry.membership === 'invite' || entry.membership === 'knock') &&
      !isReplaced(entry, known) &&
      (matchesFilter(entry, filter) || entry.roomId === open),
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
      ...[...known.values()].filter(
        entry => entry.isSpace && entry.membership === 'invite' && matchesFilter(entry, filter),
      ),
    ]),
    section(
      'favourites',
      take(entry => entry.favourite),
    ),
  ]
  const spaces = new Map<string, Section>()
  const low = take(entry => entry.lowPriority)
  const people = take(entry => entry.directWith.length > 0)
  for (const { space, depth } of innermostFirst(known)) {
    const children = new Set(space.children)
    const rooms = take(entry => children.has(entry.roomId))
    spaces.set(space.roomId, { kind: 'space', id: space.roomId, space, depth, rooms })
  }
  sections.push(...treeOf(known).flatMap(({ space }) => spaces.get(space.roomId) ?? []))
  sections.push(
    section(
      'rooms',
      take(entry => !isWithOutside(entry)),
    ),
    section(
      'outside',
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
  const after = at < 0 ? rooms : [...rooms.slice(at + 1), ...rooms.slice(0, at)]
  const way = step > 0 ? after : after.toReversed()
  return way.find(isUnread) ?? null
}

/** The room before or after this one, as the list shows them; null at its ends. */
export function neighbour(
  sections: readonly Section[],
  roomId: string | null,
  step: 1 | -1,
): RoomEntry | null {
  const rooms = inOrder(sections)
  const at = rooms.findIndex(entry => entry.roomId === roomId)
  return (at < 0 ? rooms[0] : rooms[at + step]) ?? null
}

interface Branch {
  readonly space: RoomEntry
  readonly depth: number
}

/** A tree by agreement only: spaces may list each other, or themselves. Each stands once, where it is first met. */
function treeOf(known: ReadonlyMap<string, RoomEntry>): Branch[] {
  const branches: Branch[] = []
  const visited = new Set<string>()
  const visit = (space: RoomEntry, depth: number) => {
    if (visited.has(space.roomId)) return
    visited.add(space.roomId)
    branches.push({ space, depth })
    for (const child of space.children) {
      const inner = known.get(child)
      if (inner?.isSpace && inner.membership === 'join') visit(inner, Math.min(depth + 1, deepest))
    }
  }
  for (const space of topSpaces(known)) visit(space, 0)
  return branches
}

function innermostFirst(known: ReadonlyMap<string, RoomEntry>): Branch[] {
  return treeOf(known).sort((a, b) => b.depth - a.depth)
}

/** Those that no other space lists, by name; and, of spaces that list each other in a ring, each. */
function topSpaces(known: ReadonlyMap<string, RoomEntry>): RoomEntry[] {
  const spaces = [...known.values()].filter(entry => entry.isSpace && entry.membership === 'join')
  const listed = new Set(spaces.flatMap(({ roomId, children }) => children.filter(child => child !== roomId)))
  const byName = new Intl.Collator()
  const rank = ({ roomId }: RoomEntry) => Number(listed.has(roomId))
  // Listed ones come after: whoever is met below a top is not met again; what is left is in a ring.
  return spaces.sort((a, b) => rank(a) - rank(b) || byName.compare(a.name ?? '', b.name ?? ''))
}

/** The room that took its place is here: the old one is only history. */
function isReplaced(entry: RoomEntry, known: ReadonlyMap<string, RoomEntry>): boolean {
  return entry.replacedBy !== null && known.get(entry.replacedBy)?.membership === 'join'
}

function newestFirst(a: RoomEntry, b: RoomEntry): number {
  return b.lastTs - a.lastTs || (a.roomId < b.roomId ? -1 : 1)
}
