/**
 * What sets the room versions that we speak apart, as data.
 *
 * Spec: rooms#room-versions. Code asks a rule by its name and never compares versions. What versions 10, 11 and 12
 * have in common (integer power levels, restricted and knock_restricted joins, hash event ids) is no
 * rule here but simply how the code works.
 */
export type RoomVersion = '10' | '11' | '12'

export type RoomRules = {
  readonly version: RoomVersion

  /** The create event has no `room_id`; the room's id is its hash, and no event lists it as an auth event. */
  readonly roomIdIsCreateEventHash: boolean

  /** Creators are the create event's sender and `additional_creators`; nobody has more power, nothing takes it away. */
  readonly creatorsHaveInfinitePower: boolean

  /** The create event names its creator in `content.creator`; later versions go by its sender. */
  readonly creatorIsInContent: boolean

  /** A redaction names its target in `content.redacts` instead of the top-level `redacts`. */
  readonly redactsInContent: boolean

  /** Iterative auth checks start from nothing instead of the unconflicted state. */
  readonly startsResolutionFromEmptyState: boolean

  /** The full conflicted set takes in every auth path between two conflicted events. */
  readonly resolvesConflictedStateSubgraph: boolean

  readonly redaction: RedactionRules
}

/** What a redaction leaves: the event's own members, and by event type the members of its content. */
export type RedactionRules = {
  readonly eventKeys: readonly string[]
  readonly contentKeys: ReadonlyMap<string, KeptContent>
}

/** `everything`, or paths: `['third_party_invite', 'signed']` keeps that one member of a nested object. */
export type KeptContent = 'everything' | readonly (readonly [string] | readonly [string, string])[]

// Spec: rooms/v11#redactions
const eventKeys = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
]

const redactionSinceVersion9: RedactionRules = {
  // Spec: rooms/v10#redactions
  eventKeys: [...eventKeys, 'prev_state', 'origin', 'membership'],
  contentKeys: new Map<string, KeptContent>([
    ['m.room.member', [['membership'], ['join_authorised_via_users_server']]],
    ['m.room.create', [['creator']]],
    ['m.room.join_rules', [['join_rule'], ['allow']]],
    [
      'm.room.power_levels',
      [
        ['ban'],
        ['events'],
        ['events_default'],
        ['kick'],
        ['redact'],
        ['state_default'],
        ['users'],
        ['users_default'],
      ],
    ],
    ['m.room.history_visibility', [['history_visibility']]],
  ]),
}

const redactionSinceVersion11: RedactionRules = {
  eventKeys,
  contentKeys: new Map<string, KeptContent>([
    [
      'm.room.member',
      [['membership'], ['join_authorised_via_users_server'], ['third_party_invite', 'signed']],
    ],
    ['m.room.create', 'everything'],
    ['m.room.join_rules', [['join_rule'], ['allow']]],
    [
      'm.room.power_levels',
      [
        ['ban'],
        ['events'],
        ['events_default'],
        ['invite'],
        ['kick'],
        ['redact'],
        ['state_default'],
        ['users'],
        ['users_default'],
      ],
    ],
    ['m.room.history_visibility', [['history_visibility']]],
    ['m.room.redaction', [['redacts']]],
  ]),
}

// Spec: rooms/v10
const version10: RoomRules = {
  version: '10',
  roomIdIsCreateEventHash: false,
  creatorsHaveInfinitePower: false,
  creatorIsInContent: true,
  redactsInContent: false,
  startsResolutionFromEmptyState: false,
  resolvesConflictedStateSubgraph: false,
  redaction: redactionSinceVersion9,
}

// Spec: rooms/v11
const version11: RoomRules = {
  ...version10,
  version: '11',
  creatorIsInContent: false,
  redactsInContent: true,
  redaction: redactionSinceVersion11,
}

// Spec: rooms/v12 (MSC4289 creators, MSC4291 room ids, MSC4297 state resolution, MSC4304 the version)
const version12: RoomRules = {
  ...version11,
  version: '12',
  roomIdIsCreateEventHash: true,
  creatorsHaveInfinitePower: true,
  startsResolutionFromEmptyState: true,
  resolvesConflictedStateSubgraph: true,
}

const versions: ReadonlyMap<string, RoomRules> = new Map([
  ['10', version10],
  ['11', version11],
  ['12', version12],
])

export const defaultRoomVersion: RoomVersion = '12'

/** All versions that we speak, oldest first. Spec: client-server-api#mroom_versions-capability */
export const roomVersions: readonly RoomVersion[] = ['10', '11', '12']

/** The rules of a version, or null where we do not speak it. */
export function roomVersion(id: string): RoomRules | null {
  return versions.get(id) ?? null
}
