/**
 * A new room: which events it begins with, and in which order. All of them, the alias and the place in the directory are
 * one transaction: the room is there whole or not at all.
 *
 * Spec: client-server-api#post_matrixclientv3createroom
 */
import { type RoomAlias, type RoomId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { defaultRoomVersion, type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import { firstServerAcl, type PinnedServers } from './acl-keeper.ts'
import { type Aliases, aliasOwner } from './aliases.ts'
import { memberContent, type RoomMembers } from './membership.ts'
import type { OutwardRooms } from './outward.ts'
import type { Actor, People } from './people.ts'
import type { PublicRooms } from './public-rooms.ts'
import { RemoteError } from './remote-rooms.ts'
import { type BatchOptions, type Draft, RoomError, type RoomErrorCode, type Rooms } from './rooms.ts'
import { serverAclType } from './server-acl.ts'

export type Preset = 'private_chat' | 'trusted_private_chat' | 'public_chat'

export interface StateDraft {
  readonly type: string
  readonly stateKey: string
  readonly content: JsonObject
}

/** The body of /createRoom, parsed. */
export interface RoomRequest {
  readonly version?: string | undefined
  readonly published: boolean
  readonly alias?: RoomAlias | undefined
  readonly preset?: Preset | undefined
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly creationContent: JsonObject
  readonly initialState: readonly StateDraft[]
  readonly invite: readonly UserId[]
  readonly isDirect: boolean
  readonly powerLevels?: JsonObject | undefined
}

export interface CreateRoomDeps {
  readonly rooms: Rooms
  readonly people: People
  readonly members: Pick<RoomMembers, 'checkInvitee'>
  readonly aliases: Pick<Aliases, 'claim' | 'resolve'>
  readonly publicRooms: Pick<PublicRooms, 'write'>
  readonly outward: Pick<OutwardRooms, 'invite'>
  readonly peers: PinnedServers
}

type NewDraft = Omit<Draft, 'roomId'>

interface PresetState {
  readonly joinRule: 'invite' | 'public'
  readonly guestAccess: 'can_join' | 'forbidden'
  /** The level that inviting needs: in a private room whoever is in may bring others. */
  readonly invite: number
}

const presets: Readonly<Record<Preset, PresetState>> = {
  private_chat: { joinRule: 'invite', guestAccess: 'can_join', invite: 0 },
  trusted_private_chat: { joinRule: 'invite', guestAccess: 'can_join', invite: 0 },
  public_chat: { joinRule: 'public', guestAccess: 'forbidden', invite: 50 },
}

/** Somebody of another server whose invite came to nothing: the room is there without them. */
export interface RefusedInvite {
  readonly userId: UserId
  readonly code: RoomErrorCode
  readonly message: string
}

export interface MadeRoom {
  readonly roomId: RoomId
  readonly refused: readonly RefusedInvite[]
}

export async function createRoom(
  deps: CreateRoomDeps,
  actor: Actor,
  request: RoomRequest,
): Promise<MadeRoom> {
  checkMayCreate(actor)
  const rules = needRoomVersion(request.version ?? defaultRoomVersion, 'room_version')
  const { alias } = request
  if (alias && (await deps.aliases.resolve(alias))) {
    throw new RoomError('M_ROOM_IN_USE', `room_alias_name: the alias ${alias} already exists.`)
  }
  const invitees = [...new Set(request.invite)].filter(userId => userId !== actor.userId)
  const invites = await Promise.all(
    invitees.map(async userId => ({
      userId,
      profile: await deps.members.checkInvitee(actor, userId, 'invite'),
    })),
  )
  const ownProfile = (await deps.people.memberProfile(actor.userId)) ?? {}
  const events: NewDraft[] = [
    member(actor.userId, actor.userId, memberContent('join', ownProfile)),
    ...stateOf(deps, request, rules, actor.userId, invitees).map(state => ({
      sender: actor.userId,
      ...state,
    })),
    ...invites
      .filter(({ userId }) => isLocal(userId))
      .map(({ userId, profile }) => member(actor.userId, userId, inviteContent(profile))),
  ]
  const roomId = await create(deps, actor, rules, createContentOf(request, rules, invitees), events, {
    owners: alias ? [aliasOwner(alias)] : [],
    also: async (tx, roomId) => {
      if (alias) await deps.aliases.claim(tx, alias, roomId, actor)
      if (request.published) deps.publicRooms.write(tx, roomId, actor, true)
    },
  })
  // The room is there, whoever of the others can be asked now: they can be invited again.
  const refused: RefusedInvite[] = []
  const away = new Map<ServerName, RoomError>()
  for (const { userId, profile } of invites.filter(invite => !isLocal(invite.userId))) {
    const draft = { roomId, ...member(actor.userId, userId, inviteContent(profile)), stateKey: userId }
    const server = serverOf(userId)
    try {
      // Once it could not be reached it is not waited for again.
      if (away.has(server)) throw away.get(server)
      await deps.outward.invite(draft, server)
    } catch (error) {
      if (!(error instanceof RoomError)) throw error
      if (error.cause instanceof RemoteError && error.cause.kind === 'unreachable') away.set(server, error)
      refused.push({ userId, code: error.code, message: error.message })
    }
  }
  return { roomId, refused }

  function isLocal(userId: UserId): boolean {
    return serverOf(userId) === deps.rooms.serverName
  }
  function inviteContent(profile: JsonObject): JsonObject {
    return memberContent('invite', { ...profile, ...(request.isDirect ? { is_direct: true } : {}) })
  }
}

/** External people are guests of the rooms that others made. */
export function checkMayCreate(actor: Actor): void {
  if (actor.kind === 'external') throw new RoomError('M_FORBIDDEN', 'External accounts create no rooms.')
}

export function needRoomVersion(version: string, field: string): RoomRules {
  const rules = roomVersion(version)
  if (rules) return rules
  throw new RoomError(
    'M_UNSUPPORTED_ROOM_VERSION',
    `${field}: this server does not support room version ${JSON.stringify(version)}.`,
  )
}

/** Makes the room; what the auth rules refuse in it is a wrong initial state, whoever wrote it. */
export async function create(
  { rooms }: Pick<CreateRoomDeps, 'rooms'>,
  actor: Actor,
  rules: RoomRules,
  createContent: JsonObject,
  events: readonly NewDraft[],
  batch: BatchOptions,
): Promise<RoomId> {
  try {
    const { roomId } = await rooms.create(
      { version: rules.version, creator: actor.userId, createContent, events: () => events },
      batch,
    )
    return roomId
  } catch (error) {
    if (error instanceof RoomError && error.code === 'M_FORBIDDEN') {
      throw new RoomError('M_INVALID_ROOM_STATE', `The room cannot begin like this: ${error.message}`, {
        cause: error,
      })
    }
    throw error
  }
}

// Spec: client-server-api#post_matrixclientv3createroom (creation_content): in a trusted room of version 12 all
// who are invited are creators.
function createContentOf(request: RoomRequest, rules: RoomRules, invitees: readonly UserId[]): JsonObject {
  const { room_version: _version, creator: _creator, ...content } = request.creationContent
  if (!rules.creatorsHaveInfinitePower || presetOf(request) !== 'trusted_private_chat') return content
  const listed = (content['additional_creators'] ?? []) as readonly UserId[]
  const additional = [...new Set([...listed, ...invitees])]
  return additional.length === 0 ? content : { ...content, additional_creators: additional }
}

function presetOf({ preset, published }: RoomRequest): Preset {
  return preset ?? (published ? 'public_chat' : 'private_chat')
}

/** Everything between the creator's join and the invites, in the order that the specification gives. */
function stateOf(
  { rooms, peers }: Pick<CreateRoomDeps, 'rooms' | 'peers'>,
  request: RoomRequest,
  rules: RoomRules,
  creator: UserId,
  invitees: readonly UserId[],
): StateDraft[] {
  const { name, topic, alias } = request
  const named = [
    ...(name === undefined ? [] : [{ type: 'm.room.name', stateKey: '', content: { name } }]),
    ...(topic === undefined ? [] : [{ type: 'm.room.topic', stateKey: '', content: topicContent(topic) }]),
  ]
  // `name` and `topic` win over `initial_state`, which wins over the preset and the alias.
  const initial = request.initialState.filter(state => !includes(named, state))
  const powerLevels = initial.find(state => state.type === 'm.room.power_levels' && state.stateKey === '')
  const preset = presets[presetOf(request)]
  const implied: StateDraft[] = [
    ...(alias ? [{ type: 'm.room.canonical_alias', stateKey: '', content: { alias } }] : []),
    { type: 'm.room.join_rules', stateKey: '', content: { join_rule: preset.joinRule } },
    { type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: 'shared' } },
    { type: 'm.room.guest_access', stateKey: '', content: { guest_access: preset.guestAccess } },
    // Nobody lets in a server that our administrator has not pinned, if its own software is honest.
    { type: serverAclType, stateKey: '', content: firstServerAcl(rooms.serverName, peers) },
  ]
  return [
    // Power comes first wherever it is written: what follows stands on it.
    powerLevels ?? {
      type: 'm.room.power_levels',
      stateKey: '',
      content: powerLevelsOf(request, rules, creator, invitees),
    },
    ...implied.filter(state => !includes(initial, state)),
    ...initial.filter(state => state !== powerLevels),
    ...named,
  ]
}

function includes(states: readonly StateDraft[], { type, stateKey }: StateDraft): boolean {
  return states.some(state => state.type === type && state.stateKey === stateKey)
}

function powerLevelsOf(
  request: RoomRequest,
  rules: RoomRules,
  creator: UserId,
  invitees: readonly UserId[],
): JsonObject {
  const presetName = presetOf(request)
  const equals = presetName === 'trusted_private_chat' ? invitees : []
  return {
    // Spec: rooms/v12#creators-have-infinite-power: creators may not be listed.
    users: rules.creatorsHaveInfinitePower
      ? {}
      : Object.fromEntries([creator, ...equals].map(userId => [userId, 100])),
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.avatar': 50,
      'm.room.canonical_alias': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.encryption': 100,
      'm.room.server_acl': 100,
      'm.room.tombstone': tombstoneLevel(rules, 50),
    },
    // Spec: client-server-api#spaces: a space is no place for messages.
    events_default: request.creationContent['type'] === 'm.space' ? 100 : 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: presets[presetName].invite,
    ...request.powerLevels,
  }
}

/** Spec: client-server-api#post_matrixclientv3createroom (3): from version 12 on only creators upgrade, unless someone is given more. */
export function tombstoneLevel(rules: RoomRules, stateDefault: number): number {
  return rules.creatorsHaveInfinitePower ? Math.max(150, stateDefault + 1) : 100
}

/** Spec: client-server-api#mroomtopic */
function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ body: topic }] } }
}

function member(sender: UserId, stateKey: UserId, content: JsonObject): NewDraft {
  return { sender, type: 'm.room.member', stateKey, content }
}

/** Ids in `users` of a power levels event that the new room's rules would refuse are left out. */
export function withoutCreators(levels: JsonObject, creators: ReadonlySet<string>): JsonObject {
  const { users } = levels
  if (!isObject(users)) return levels
  return { ...levels, users: Object.fromEntries(Object.entries(users).filter(([id]) => !creators.has(id))) }
}
