/**
 * Typing, between servers: ours is told to the servers in the room, theirs stands beside ours for as long as they say
 * it again. Nothing of it is kept.
 *
 * Spec: server-server-api#typing-notifications
 */
import type { Outbound } from '../peers/outbound.ts'
import {
  parseRoomId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
  type UserId,
} from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { InboundRooms } from './inbound-rooms.ts'
import { otherServersIn, roomFor } from './room-edus.ts'
import type { Rooms } from './rooms.ts'
import type { Typing } from './typing.ts'

/** Other homeservers say it again every 40 seconds, and take it for over after 60. */
const tellAgainMs = 30_000
const remoteTimeoutMs = 60_000

export interface TypingEdusDeps {
  readonly rooms: Pick<Rooms, 'serverName' | 'view'> & Pick<InboundRooms, 'askedBy'>
  readonly typing: Typing
  readonly outbound: Pick<Outbound, 'ephemeral'>
  readonly clock: () => number
}

export interface TypingEdus {
  /** `m.typing` of a peer. What is wrong or none of its business is passed over. */
  take(origin: ServerName, content: JsonObject): Promise<void>
}

export function openTypingEdus({ rooms, typing, outbound, clock }: TypingEdusDeps): TypingEdus {
  /** When we told last, of those of ours who type now. */
  const told = new Map<string, number>()

  typing.onTypist((roomId, userId, isTyping) => {
    if (serverOf(userId) !== rooms.serverName) return
    const key = `typing ${roomId} ${userId}`
    const now = clock()
    if (!isTyping) told.delete(key)
    else if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < tellAgainMs) return
    else told.set(key, now)
    // A store that fails has louder voices than this.
    tell(key, roomId, userId, isTyping).catch(() => {})
  })

  async function tell(key: string, roomId: RoomId, userId: UserId, isTyping: boolean): Promise<void> {
    const content = { room_id: roomId, user_id: userId, typing: isTyping }
    for (const server of otherServersIn(await rooms.view(roomId), rooms.serverName)) {
      outbound.ephemeral(server, key, { edu_type: 'm.typing', content })
    }
  }

  return {
    async take(origin, content) {
      const userId = parseUserId(content['user_id'])
      const roomId = parseRoomId(content['room_id'])
      if (!roomId || !userId || serverOf(userId) !== origin) return
      const view = await roomFor(rooms, origin, roomId)
      if (view?.membership(userId) !== 'join') return
      typing.set(roomId, userId, content['typing'] === true ? remoteTimeoutMs : 0)
    },
  }
}
