/** The organisation of the demonstration: a small clinic, five people, its spaces and rooms. All of it is made up. */

export const serverName = 'noor-clinic.example'

export type Name = 'amal' | 'jonas' | 'layla' | 'claire' | 'peter'

export interface Person {
  readonly localpart: Name
  readonly displayName: string
  readonly role: string
  readonly kind: 'administrator' | 'member' | 'external'
  readonly language: 'en' | 'ar' | 'de' | 'fr'
  /** What the device that is always on is called. */
  readonly device: string
}

export const people: readonly Person[] = [
  {
    localpart: 'amal',
    displayName: 'أمل ناصر',
    role: 'Director, administrator',
    kind: 'administrator',
    language: 'ar',
    device: 'Office computer',
  },
  {
    localpart: 'jonas',
    displayName: 'Jonas Weber',
    role: 'Head of nursing',
    kind: 'member',
    language: 'de',
    device: 'Ward 4, station desk',
  },
  {
    localpart: 'layla',
    displayName: 'ليلى حداد',
    role: 'Pharmacist',
    kind: 'member',
    language: 'ar',
    device: 'Pharmacy counter',
  },
  {
    localpart: 'claire',
    displayName: 'Claire Moreau',
    role: 'Physician, ward 4',
    kind: 'member',
    language: 'fr',
    device: 'Consulting room 2',
  },
  {
    localpart: 'peter',
    displayName: 'Peter Adeyemi',
    role: 'Auditor, Brandt & Adeyemi (external)',
    kind: 'external',
    language: 'en',
    device: 'Laptop',
  },
]

export type RoomKey =
  | 'clinic'
  | 'administration'
  | 'everyone'
  | 'ward'
  | 'pharmacy'
  | 'management'
  | 'audit'
  | 'amal-jonas'
  | 'amal-layla'
  | 'jonas-claire'

export interface Room {
  readonly key: RoomKey
  readonly name?: string
  readonly topic?: string
  /** Who makes it. */
  readonly by: Name
  readonly members: readonly Name[]
  readonly kind: 'space' | 'room' | 'direct'
  readonly inSpace?: RoomKey
  readonly favouriteOf?: readonly Name[]
}

/** Spaces before what stands in them. */
export const rooms: readonly Room[] = [
  {
    key: 'clinic',
    name: 'Noor Clinic',
    topic: 'All departments',
    by: 'amal',
    members: ['jonas', 'layla', 'claire'],
    kind: 'space',
  },
  {
    key: 'administration',
    name: 'الإدارة',
    topic: 'Administration',
    by: 'amal',
    members: ['jonas'],
    kind: 'space',
    inSpace: 'clinic',
  },
  {
    key: 'everyone',
    name: 'Everyone',
    topic: 'What concerns all of us. Please keep it short.',
    by: 'amal',
    members: ['jonas', 'layla', 'claire'],
    kind: 'room',
    inSpace: 'clinic',
  },
  {
    key: 'ward',
    name: 'Ward 4',
    topic: 'Handovers and questions of the day',
    by: 'jonas',
    members: ['amal', 'claire', 'layla'],
    kind: 'room',
    inSpace: 'clinic',
    favouriteOf: ['jonas', 'claire', 'amal'],
  },
  {
    key: 'pharmacy',
    name: 'الصيدلية',
    topic: 'الطلبات والمخزون',
    by: 'layla',
    members: ['amal', 'claire'],
    kind: 'room',
    inSpace: 'clinic',
    favouriteOf: ['layla'],
  },
  {
    key: 'management',
    name: 'Management',
    topic: 'Budget, staff, buildings',
    by: 'amal',
    members: ['jonas'],
    kind: 'room',
    inSpace: 'administration',
  },
  {
    key: 'audit',
    name: 'Audit 2026',
    topic: 'With Brandt & Adeyemi. Somebody from outside reads here.',
    by: 'amal',
    members: ['peter', 'jonas'],
    kind: 'room',
    inSpace: 'administration',
  },
  { key: 'amal-jonas', by: 'amal', members: ['jonas'], kind: 'direct' },
  { key: 'amal-layla', by: 'layla', members: ['amal'], kind: 'direct' },
  { key: 'jonas-claire', by: 'claire', members: ['jonas'], kind: 'direct' },
]

/** What encryption does not hide: names and topics. */
export function wordsInTheOpen(): string[] {
  const all = [
    ...rooms.flatMap(({ name, topic }) => [name, topic]),
    ...people.flatMap(({ displayName, device }) => [displayName, device]),
  ]
  return all.filter(text => text !== undefined)
}
