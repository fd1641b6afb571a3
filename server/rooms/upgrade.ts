/**
 * Replacing a room by one of another version.
 *
 * The new room, its aliases and its place in the directory are one transaction; the tombstone and the silence in the old
 * room are a second one. A crash in between leaves a new room that nobody is sent to: upgrading again makes another.
 * Spec: client-server-api#room-upgrades
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { type Aliases, aliasOwner } from './aliases.ts'
import { checkMayCreate, create, needRoomVersion, tombstoneLevel, withoutCreators } from './create-room.ts'
import { memberContent } from './membership.ts'
import type { Actor, People } from './people.ts'
import { namedLevel } from './power.ts'
import type { PublicRooms } from './public-rooms.ts'
import { joinedView } from './room-access.ts'
import { type Draft, RoomError, type Rooms, type RoomView } from './rooms.ts'

export interface UpgradeDeps {
  readonly rooms: Rooms
  readonly people: People
  readonly aliases: Pick<Aliases, 'all' | 'move'>
  readonly publicRooms: Pick<PublicRooms, 'isPublished' | 'write'>
}

export interface UpgradeRequest {
  readonly newVersion: string
  readonly additionalCreators: readonly UserId[]
}

type NewDraft = Omit<Draft, 'roomId'>

/** Spec: client-server-api#room-upgrades (3), without power levels, which need more care. */
const transferable = [
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.guest_access',
  'm.room.history_visibility',
  'm.room.join_rules',
]

export async function upgradeRoom(
  deps: UpgradeDeps,
  actor: Actor,
  roomId: RoomId,
  request: UpgradeRequest,
): Promise<RoomId> {
  checkMayCreate(actor)
  const { rooms, aliases, publicRooms } = deps
  const rules = needRoomVersion(request.newVersion, 'new_version')
  const view = await joinedView(rooms, actor.userId, roomId)
  if (!view.maySend(actor.userId, 'm.room.tombstone', true)) {
    throw new RoomError('M_FORBIDDEN', 'roomId: you do not have the power level to upgrade this room.')
  }
  const names = await aliases.all(roomId)
  const published = await publicRooms.isPublished(roomId)
  const newRoomId = await create(
    deps,
    actor,
    rules,
    createContentOf(view, rules, request),
    await firstEvents(deps, view, rules, actor, request),
    {
      owners: [...names.map(aliasOwner), `directory ${roomId}`],
      also: async (tx, created) => {
        await aliases.move(tx, names, roomId, created)
        if (!published) return
        publicRooms.write(tx, created, actor, true)
        publicRooms.write(tx, roomId, actor, false)
      },
    },
  )
  await rooms.sendMany(roomId, closingEvents(view, actor.userId, newRoomId))
  return newRoomId
}

function createContentOf(view: RoomView, rules: RoomRules, request: UpgradeRequest): JsonObject {
  const type = view.createEvent.content['type']
  const federate = view.createEvent.content['m.federate']
  const last = view.forwardExtremities[0]
  const creators = [...new Set(request.additionalCreators)]
  return {
    // Spec: client-server-api#room-upgrades (2): from version 12 on the predecessor's event may be left out.
    predecessor: {
      room_id: view.roomId,
      ...(rules.roomIdIsCreateEventHash || !last ? {} : { event_id: last }),
    },
    ...(type === undefined ? {} : { type }),
    ...(federate === undefined ? {} : { 'm.federate': federate }),
    ...(rules.creatorsHaveInfinitePower && creators.length > 0 ? { additional_creators: creators } : {}),
  }
}

async function firstEvents(
  { people }: Pick<UpgradeDeps, 'people'>,
  view: RoomView,
  rules: RoomRules,
  actor: Actor,
  request: UpgradeRequest,
): Promise<NewDraft[]> {
  const sender = actor.userId
  const state = (type: string, content: JsonObject, stateKey = ''): NewDraft => ({
    sender,
    type,
    stateKey,
    content,
  })
  const profile = (await people.memberProfile(sender)) ?? {}
  const newCreators = new Set<string>([sender, ...request.additionalCreators])
  const final = finalPowerLevels(view, rules, newCreators)
  const opening = rules.creatorsHaveInfinitePower ? final : raised(final, sender)
  const copied = transferable.flatMap(type => {
    const event = view.state(type)
    return event ? [state(type, event.content)] : []
  })
  return [
    state('m.room.member', memberContent('join', profile), sender),
    state('m.room.power_levels', opening),
    ...copied,
    ...mainAlias(view).map(content => state('m.room.canonical_alias', content)),
    ...spaceChildren(view).map(event => state(event.type, event.content, event.stateKey)),
    // Bans are repeated, or whoever was put out walks back in.
    ...bans(view, newCreators).map(event =>
      state('m.room.member', memberContent('ban', { reason: reasonOf(event.content) }), event.stateKey),
    ),
    ...(opening === final ? [] : [state('m.room.power_levels', final)]),
  ]
}

function mainAlias(view: RoomView): JsonObject[] {
  const content = view.state('m.room.canonical_alias')?.content
  return content && Object.keys(content).length > 0 ? [content] : []
}

function spaceChildren(view: RoomView) {
  if (view.createEvent.content['type'] !== 'm.space') return []
  return [...view.stateOfType('m.space.child')].filter(({ content }) => Array.isArray(content['via']))
}

function bans(view: RoomView, newCreators: ReadonlySet<string>) {
  return [...view.members('ban')].filter(({ stateKey }) => !newCreators.has(stateKey))
}

function reasonOf(content: JsonObject): string | undefined {
  return typeof content['reason'] === 'string' ? content['reason'] : undefined
}

/** The old room's levels as the new version allows them. */
function finalPowerLevels(view: RoomView, rules: RoomRules, newCreators: ReadonlySet<string>): JsonObject {
  const old = view.state('m.room.power_levels')?.content ?? {}
  if (!rules.creatorsHaveInfinitePower) return keepFormerCreators(view, old)
  const levels = withoutCreators(old, newCreators)
  const events = isObject(levels['events']) ? levels['events'] : {}
  const least = tombstoneLevel(rules, namedLevel(view, 'state_default'))
  const current = events['m.room.tombstone']
  const level = typeof current === 'number' ? Math.max(current, least) : least
  return { ...levels, events: { ...events, 'm.room.tombstone': level } }
}

/** From version 12 to an older one: creators were in no list, and would have nothing left. */
function keepFormerCreators(view: RoomView, old: JsonObject): JsonObject {
  const users = isObject(old['users']) ? old['users'] : {}
  const missing = [...view.creators].filter(
    userId => users[userId] === undefined && view.powerLevel(userId) === Infinity,
  )
  if (missing.length === 0) return old
  const top = Math.max(100, ...levelsIn(old))
  return { ...old, users: { ...users, ...Object.fromEntries(missing.map(userId => [userId, top])) } }
}

/** While the state is copied the upgrader needs whatever it takes; the last event restores the old levels. */
function raised(levels: JsonObject, upgrader: UserId): JsonObject {
  const users = isObject(levels['users']) ? levels['users'] : {}
  // Above everyone else's: a ban needs more than the banned one's level.
  const needed = Math.min(Math.max(100, ...levelsIn(levels)) + 1, Number.MAX_SAFE_INTEGER)
  const own = users[upgrader]
  if (typeof own === 'number' && own >= needed) return levels
  return { ...levels, users: { ...users, [upgrader]: needed } }
}

function levelsIn(levels: JsonObject): number[] {
  const values = Object.values(levels).flatMap(value => (isObject(value) ? Object.values(value) : [value]))
  return values.filter((value): value is number => Number.isSafeInteger(value))
}

/** Spec: client-server-api#room-upgrades (5, 6) */
function closingEvents(view: RoomView, sender: UserId, replacement: RoomId): NewDraft[] {
  const events: NewDraft[] = [
    {
      sender,
      type: 'm.room.tombstone',
      stateKey: '',
      content: { body: 'This room has been replaced', replacement_room: replacement },
    },
  ]
  // A room that stands still takes nothing else, and of all that is in it this alone goes out to its other servers.
  if (view.frozen) return events
  // The aliases point to the new room now.
  if (mainAlias(view).length > 0 && view.maySend(sender, 'm.room.canonical_alias', true)) {
    events.push({ sender, type: 'm.room.canonical_alias', stateKey: '', content: {} })
  }
  const levels = view.state('m.room.power_levels')?.content ?? {}
  const quiet = Math.max(50, namedLevel(view, 'users_default') + 1)
  const lowered = namedLevel(view, 'events_default') < quiet || namedLevel(view, 'invite') < quiet
  // "If possible": who may upgrade but not change the levels leaves the old room as loud as it was.
  if (lowered && view.powerLevel(sender) >= quiet && view.maySend(sender, 'm.room.power_levels', true)) {
    events.push({
      sender,
      type: 'm.room.power_levels',
      stateKey: '',
      content: {
        ...levels,
        events_default: Math.max(quiet, namedLevel(view, 'events_default')),
        invite: Math.max(quiet, namedLevel(view, 'invite')),
      },
    })
  }
  return events
}
