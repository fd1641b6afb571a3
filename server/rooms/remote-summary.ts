/**
 * What another server says of a room, cut to the fields of a summary with their types: the rest is not passed on.
 *
 * Spec: client-server-api: PublishedRoomsChunk, RoomSummary
 */
import { parseRoomId } from '../protocol/ids.ts'
import { isObject, type Json, type JsonObject } from '../protocol/json.ts'

const maxText = 4_096
const texts = [
  'name',
  'topic',
  'canonical_alias',
  'avatar_url',
  'room_type',
  'join_rule',
  'room_version',
  'encryption',
] as const
const maxAllowed = 100

/** Those that are about a room. */
export function summariesIn(values: readonly Json[]): JsonObject[] {
  return values.map(summaryIn).filter(summary => summary !== null)
}

/** null: not about a room. */
export function summaryIn(value: Json | undefined): JsonObject | null {
  if (!isObject(value)) return null
  const roomId = parseRoomId(value['room_id'])
  if (!roomId) return null
  const { num_joined_members: members, allowed_room_ids: allowed } = value
  return {
    room_id: roomId,
    num_joined_members: Number.isSafeInteger(members) && (members as number) >= 0 ? (members as number) : 0,
    world_readable: value['world_readable'] === true,
    guest_can_join: value['guest_can_join'] === true,
    ...Object.fromEntries(
      texts.flatMap(name => {
        const text = value[name]
        return typeof text === 'string' && text !== '' && text.length <= maxText ? [[name, text]] : []
      }),
    ),
    ...(Array.isArray(allowed)
      ? { allowed_room_ids: allowed.slice(0, maxAllowed).filter(each => parseRoomId(each) !== null) }
      : {}),
  }
}
