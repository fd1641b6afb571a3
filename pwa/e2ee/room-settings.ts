/**
 * What the engine knows of a room: that it is encrypted, who is in it, who may read what was sent before they came.
 *
 * The server tells all of it, and may lie. Therefore a room that was encrypted once stays so, whatever is said
 * later (attack 19), keys are changed at least as often as the specification's defaults say, and whoever leaves
 * ends the key in use (attack 16). Spec: client-server-api#mroomencryption
 */
import type { JsonObject } from '#protocol/json.ts'
import { megolmAlgorithm } from './account.ts'
import { trackPeople } from './device-lists.ts'
import type { Step } from './records.ts'
import { beginRoom, memberLeft, receiveInvite } from './signed-invite.ts'

const defaultRotationMessages = 100
const defaultRotationMs = 7 * 24 * 60 * 60 * 1000

export type Membership = 'join' | 'invite'

export interface RoomSettings {
  readonly algorithm: typeof megolmAlgorithm
  readonly rotationMessages: number
  readonly rotationMs: number
  /** Those who are in the room, and those who are invited. */
  readonly members: Readonly<Record<string, Membership>>
  /** May people who come later read what is sent now? Then its keys may be handed to those whom we invite (MSC4268). */
  readonly isHistoryShared: boolean
  /** May those who are invited read it before they join? Only the visibility `joined` says no. */
  readonly isForInvited?: boolean
}

export interface RoomChange {
  /** The content of `m.room.encryption`, where the state has it. */
  readonly encryption?: JsonObject
  /**
   * Everybody whose membership is news; null: neither in the room nor invited. The first time it is everybody who is
   * there: who comes later has to be let in (attack 1).
   */
  readonly members?: Readonly<Record<string, Membership | null>>
  /** Invites as the room shows them, with the content that may carry the inviter's word. */
  readonly invites?: readonly { userId: string; sender: string; content: JsonObject }[]
  readonly historyVisibility?: string
}

/** Who may read what is written now. */
export function readersOf(room: RoomSettings): string[] {
  const { members, isForInvited = true } = room
  return Object.keys(members).filter(userId => members[userId] === 'join' || isForInvited)
}

/** Null: not encrypted, as far as we were ever told. */
export async function readRoom(step: Pick<Step, 'get'>, roomId: string): Promise<RoomSettings | null> {
  const record = await step.get('room', roomId)
  return record && record['algorithm'] === megolmAlgorithm ? (record as unknown as RoomSettings) : null
}

/** Takes news of a room's state. Members of rooms that are not encrypted are kept too: encryption may come. */
export async function receiveRoomChange(step: Step, roomId: string, change: RoomChange): Promise<void> {
  await takeRoomChange(step, roomId, (await step.get('room', roomId)) ?? {}, change)
}

/**
 * In place of a record that is damaged: from the room's whole state. Sessions of the room say that it was encrypted,
 * should the state know nothing of it any more (attack 19). Whoever left meanwhile may have the key in use: it ends.
 */
export async function takeRoomAnew(step: Step, roomId: string, whole: RoomChange): Promise<void> {
  const wasEncrypted = (await step.entries('inbound-group-session', `${roomId}|`)).length > 0
  const encryption = whole.encryption ?? (wasEncrypted ? { algorithm: megolmAlgorithm } : undefined)
  await takeRoomChange(step, roomId, {}, { ...whole, ...(encryption && { encryption }) })
  step.delete('outbound-group-session', roomId)
}

/**
 * The server took our invitation: what is written from now on is for them too, before a sync has told us of them. Who is there
 * by now stays as they are.
 */
export async function noteInvited(step: Step, roomId: string, userId: string): Promise<void> {
  const record = await step.get('room', roomId)
  const members = record?.['members'] as RoomSettings['members'] | undefined
  if (!members || userId in members) return
  step.put('room', roomId, { ...record, members: { ...members, [userId]: 'invite' } })
  await trackPeople(step, [userId])
}

async function takeRoomChange(
  step: Step,
  roomId: string,
  record: JsonObject,
  change: RoomChange,
): Promise<void> {
  const room = { ...record, ...encryptionOf(step, record, change.encryption) }
  const members: Record<string, Membership> = { ...(record['members'] as Record<string, Membership>) }
  let somebodyLeft = false
  for (const [userId, membership] of Object.entries(change.members ?? {})) {
    if (membership !== null) members[userId] = membership
    else if (userId in members) {
      delete members[userId]
      memberLeft(step, { roomId, userId })
      somebodyLeft = true
    }
  }
  if (change.members) await beginRoom(step, { roomId, userIds: Object.keys(members) })
  for (const invite of change.invites ?? []) await receiveInvite(step, { roomId, ...invite })
  const history = isHistoryShared(change.historyVisibility) ?? record['isHistoryShared'] === true
  const isForInvited =
    change.historyVisibility === undefined
      ? record['isForInvited'] !== false
      : change.historyVisibility !== 'joined'
  step.put('room', roomId, { ...room, members, isHistoryShared: history, isForInvited })
  if ((room as JsonObject)['algorithm'] !== megolmAlgorithm) return
  // Who has left has the key that is in use; and what it opens must not be handed on under another rule.
  const isOtherRule = record['isHistoryShared'] !== history
  if (somebodyLeft || isOtherRule) step.delete('outbound-group-session', roomId)
  await trackPeople(step, Object.keys(members))
}

function encryptionOf(step: Step, record: JsonObject, content: JsonObject | undefined): JsonObject {
  if (content === undefined) return {}
  if (content['algorithm'] !== megolmAlgorithm) {
    if (record['algorithm'] === megolmAlgorithm) step.tell({ kind: 'refused', code: 'ROOM_DOWNGRADE' })
    else step.tell({ kind: 'refused', code: 'ROOM_UNKNOWN_ALGORITHM' })
    return {}
  }
  return {
    algorithm: megolmAlgorithm,
    rotationMessages: atMost(content['rotation_period_msgs'], defaultRotationMessages),
    rotationMs: atMost(content['rotation_period_ms'], defaultRotationMs),
  }
}

function atMost(value: unknown, limit: number): number {
  return typeof value === 'number' && value >= 1 ? Math.min(value, limit) : limit
}

function isHistoryShared(visibility: string | undefined): boolean | undefined {
  return visibility === undefined ? undefined : visibility === 'shared' || visibility === 'world_readable'
}
