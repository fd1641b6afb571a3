/** What tabs may ask about rooms, answered from what this device has; only what is not here is asked of the server. */
import { isObject, type Json } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { inPath, letro, v1, v3 } from '../api/http.ts'
import { frozenState } from '../sync/frozen.ts'
import { serverOf, sharedNames } from '../sync/names.ts'
import { creatorsOf, powerOf, powerTo, powerToNotifyRoom, powerToSend, roomVersion } from '../sync/power.ts'
import { searchedText } from '../sync/reading.ts'
import { RelationBatch, validEdit } from '../sync/relations.ts'
import { type Room, stateContent, stateEvent, stateText } from '../sync/room.ts'
import { timelinePage } from '../sync/timeline-page.ts'
import { VaultError } from '../vault/errors.ts'
import type { Found, SearchIndex } from '../vault/search-index.ts'
import type { App } from './app.ts'
import type {
  FoundMessage,
  FoundPerson,
  Member,
  OpenRoom,
  OrganisationStanding,
  RoomCalls,
  RoomDetail,
} from './calls.ts'

type Reads = Pick<
  RoomCalls,
  | 'rooms'
  | 'room'
  | 'members'
  | 'timeline'
  | 'edits'
  | 'typingIn'
  | 'findPeople'
  | 'organisations'
  | 'publicRooms'
  | 'spaceRooms'
  | 'searchMessages'
  | 'profile'
  | 'presence'
  | 'accountData'
  | 'pushRules'
>

export function roomReads(app: () => App, search: () => Promise<SearchIndex>): Reads {
  return {
    rooms: async () => [...app().store.entries],
    room: async roomId => {
      const room = await knownRoom(app(), roomId)
      return detailOf(room, app())
    },
    members: async roomId =>
      membersOf(await knownRoom(app(), roomId), app().session.userId, app().store.external),
    timeline: query => timelinePage(app(), query),
    edits: async ({ roomId, eventId }) => {
      const { store } = app()
      const found = await (await store.timeline(roomId)).find(eventId)
      if (!found) return []
      const original = found.pack.events[found.index]!
      const relations = new RelationBatch(store.records, roomId)
      await relations.load([eventId])
      const of = relations.of(eventId)
      if (of.redaction || original.redactedBecause) return []
      const edits = of.edits.filter(edit => validEdit(roomId, original, { ...of, edits: [edit] }) !== null)
      return [original, ...edits].map(({ ts, content }) => ({ ts, content }))
    },
    typingIn: async roomId => [...app().store.typingIn(roomId)],
    // Spec: client-server-api#post_matrixclientv3user_directorysearch
    findPeople: async text => {
      const answer = await app().http.request('POST', `${v3}/user_directory/search`, {
        body: { search_term: text, limit: 20 },
      })
      return arrayOf(answer['results']).flatMap(person => personOf(person) ?? [])
    },
    organisations: async () => {
      try {
        const { organisations } = await app().http.request('GET', `${letro}/organisations`)
        return standingsOf(organisations)
      } catch (error) {
        // Another homeserver says nothing about it.
        if (error instanceof ApiError && error.status === 404) return {}
        throw error
      }
    },
    // Spec: client-server-api#post_matrixclientv3publicrooms
    publicRooms: async ({ text }) => {
      const answer = await app().http.request('POST', `${v3}/publicRooms`, {
        body: { limit: 100, ...(text !== '' && { filter: { generic_search_term: text } }) },
      })
      return arrayOf(answer['chunk']).flatMap(room => openRoomOf(room) ?? [])
    },
    // Spec: client-server-api#get_matrixclientv1roomsroomidhierarchy
    spaceRooms: async spaceId => {
      const path = `${v1}/rooms/${inPath(spaceId)}/hierarchy?max_depth=1&limit=100`
      const listed = arrayOf((await app().http.request('GET', path))['rooms'])
      const via = viaOf(listed.find(room => isObject(room) && room['room_id'] === spaceId))
      return listed
        .flatMap(room => openRoomOf(room) ?? [])
        .filter(({ roomId }) => roomId !== spaceId && app().store.entry(roomId)?.membership !== 'join')
        .map(room => ({ ...room, via: via.get(room.roomId) ?? [] }))
    },
    searchMessages: async ({ text, roomId, limit }) => {
      const index = await search()
      const found = index.search(text, { limit, ...(roomId !== undefined && { roomId }) })
      const messages: FoundMessage[] = []
      for (const each of found) messages.push(...(await messageOf(app(), each)))
      return { found: messages, incomplete: index.incomplete }
    },
    // Spec: client-server-api#get_matrixclientv3profileuserid
    profile: async userId => {
      const answer = await app().http.request('GET', `${v3}/profile/${inPath(userId)}`)
      return { name: textOf(answer['displayname']), avatar: textOf(answer['avatar_url']) }
    },
    presence: userId => app().presence.of(userId),
    accountData: async type => app().store.accountData(type),
    pushRules: async () => app().store.accountData('m.push_rules') ?? {},
  }
}

const standingStates = ['suspended', 'closed', 'away'] as const

function standingsOf(said: unknown): Record<string, OrganisationStanding> {
  return Object.fromEntries(
    Object.entries(isObject(said) ? said : {}).flatMap(([server, standing]) => {
      const { state: named, since } = isObject(standing) ? standing : {}
      const state = standingStates.find(each => each === named)
      return state ? [[server, { state, sinceTs: timeOf(since) }]] : []
    }),
  )
}

function timeOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 && value <= 8.64e15 ? value : null
}

/** @throws VaultError NO_SUCH_ROOM */
export async function knownRoom(app: App, roomId: string): Promise<Room> {
  const room = await app.store.room(roomId)
  if (!room) throw new VaultError('NO_SUCH_ROOM', 'this device knows no such room')
  return room
}

function detailOf(room: Room, { store, session }: App): RoomDetail {
  const { userId } = session
  const ours = powerOf(room, userId)
  const levels = stateContent(room, 'm.room.power_levels')
  // Where the room stands still, its server takes nothing; what thaws it, it does take.
  const isFrozen = frozenState(room) !== null
  const isIn = room.membership === 'join'
  const may = (power: number) => isIn && ours >= power
  const pinned = stateContent(room, 'm.room.pinned_events')['pinned']
  return {
    entry: store.entry(room.roomId) ?? store.entryOf(room, null),
    version: roomVersion(room),
    creators: creatorsOf(room),
    joinRule: textOf(stateContent(room, 'm.room.join_rules')['join_rule']) ?? 'invite',
    historyVisibility:
      textOf(stateContent(room, 'm.room.history_visibility')['history_visibility']) ?? 'shared',
    canonicalAlias: stateText(room, 'm.room.canonical_alias', 'alias'),
    pinned: Array.isArray(pinned) ? pinned.filter(id => typeof id === 'string') : [],
    readUpTo: readUpTo(room, userId),
    powerLevels: levels,
    ourPower: ours,
    may: {
      send:
        !isFrozen &&
        may(
          powerToSend(
            room,
            stateEvent(room, 'm.room.encryption') ? 'm.room.encrypted' : 'm.room.message',
            false,
          ),
        ),
      invite: !isFrozen && may(powerTo(room, 'invite')),
      kick: may(powerTo(room, 'kick')),
      ban: may(powerTo(room, 'ban')),
      redactOthers: may(powerTo(room, 'redact')),
      pin: !isFrozen && may(powerToSend(room, 'm.room.pinned_events', true)),
      rename: !isFrozen && may(powerToSend(room, 'm.room.name', true)),
      setPower: may(powerToSend(room, 'm.room.power_levels', true)),
      upgrade: may(powerToSend(room, 'm.room.tombstone', true)),
      notifyRoom: !isFrozen && may(powerToNotifyRoom(levels)),
    },
  }
}

/** The receipt and the marker may stand at different places: a receipt is never taken back. */
function readUpTo(room: Room, userId: string): string | null {
  return room.receipts.get(userId)?.eventId ?? textOf(room.accountData.get('m.fully_read')?.['event_id'])
}

const shownMemberships: ReadonlySet<string> = new Set(['join', 'invite', 'knock', 'ban'])

function membersOf(room: Room, ourUserId: string, guests: ReadonlySet<string>): Member[] {
  const shared = sharedNames(room.members)
  const ourServer = serverOf(ourUserId)
  const members: Member[] = []
  for (const [userId, { membership, name, avatar }] of room.members) {
    if (!shownMemberships.has(membership)) continue
    members.push({
      userId,
      name: name ?? userId,
      ambiguous: name !== null && shared.has(name),
      avatar,
      membership: membership as Member['membership'],
      power: powerOf(room, userId),
      external: serverOf(userId) !== ourServer || guests.has(userId),
    })
  }
  const collator = new Intl.Collator()
  return members.sort((a, b) => b.power - a.power || collator.compare(a.name, b.name))
}

async function messageOf(app: App, { roomId, eventId, timestamp }: Found): Promise<FoundMessage[]> {
  const room = await app.store.room(roomId)
  const found = await (await app.store.timeline(roomId)).findBy(eventId, timestamp)
  if (!room || !found) return []
  const event = found.pack.events[found.index]!
  const relations = new RelationBatch(app.store.records, roomId)
  await relations.load([eventId])
  const of = relations.of(eventId)
  if (of.redaction || event.redactedBecause) return []
  const content = validEdit(roomId, event, of)?.content ?? event.content
  const senderName = room.members.get(event.sender)?.name ?? event.sender
  return [
    {
      roomId,
      eventId,
      ts: event.ts,
      sender: event.sender,
      senderName,
      text: searchedText({ type: event.type, content }),
    },
  ]
}

function personOf(person: Json): FoundPerson | null {
  if (!isObject(person) || typeof person['user_id'] !== 'string') return null
  return {
    userId: person['user_id'],
    name: textOf(person['display_name']),
    avatar: textOf(person['avatar_url']),
  }
}

function openRoomOf(room: Json): OpenRoom | null {
  if (!isObject(room) || typeof room['room_id'] !== 'string') return null
  const { num_joined_members: joined } = room
  return {
    roomId: room['room_id'],
    name: textOf(room['name']) ?? textOf(room['canonical_alias']),
    topic: textOf(room['topic']),
    joinedCount: typeof joined === 'number' ? joined : 0,
    isSpace: room['room_type'] === 'm.space',
    via: [],
  }
}

/** By room: the servers that a space names for it. */
function viaOf(space: Json | undefined): ReadonlyMap<string, readonly string[]> {
  const children = isObject(space) ? arrayOf(space['children_state']) : []
  return new Map(
    children.flatMap(child => {
      if (!isObject(child) || typeof child['state_key'] !== 'string') return []
      const via = isObject(child['content']) ? arrayOf(child['content']['via']) : []
      return [[child['state_key'], via.filter(server => typeof server === 'string').slice(0, 5)]] as const
    }),
  )
}

function arrayOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
