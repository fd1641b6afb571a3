/**
 * Receipts, between servers: what of ours goes out, and what other servers say of their people.
 *
 * A private receipt belongs to its owner alone and never leaves. One for an event that is not here is passed over: the
 * next one, for what has come by then, moves further anyway.
 *
 * Spec: server-server-api#receipts
 */
import type { OutboundItem } from '../peers/outbound.ts'
import {
  parseEventId,
  parseRoomId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverOf,
} from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import type { InboundRooms } from './inbound-rooms.ts'
import type { Receipt, Receipts, ThreadId } from './receipts.ts'
import { roomFor } from './room-edus.ts'
import type { Rooms, RoomView } from './rooms.ts'

/** In one EDU: other servers gather theirs by room. */
const maxReceipts = 1_000

/** @param receipt a public one. */
export function receiptItem(roomId: RoomId, { userId, threadId, eventId, ts }: Receipt): OutboundItem {
  const data = { ts, ...(threadId === undefined ? {} : { thread_id: threadId }) }
  const content: JsonObject = { [roomId]: { 'm.read': { [userId]: { event_ids: [eventId], data } } } }
  return {
    kind: 'latest',
    key: `receipt ${roomId} ${userId} ${threadId ?? ''}`,
    edu: { edu_type: 'm.receipt', content },
  }
}

export interface ReceiptEdusDeps {
  readonly rooms: Pick<Rooms, 'event'> & Pick<InboundRooms, 'askedBy'>
  readonly receipts: Pick<Receipts, 'set'>
}

export interface ReceiptEdus {
  /** `m.receipt` of a peer. What is wrong or none of its business is passed over. */
  take(origin: ServerName, content: JsonObject): Promise<void>
}

export function openReceiptEdus({ rooms, receipts }: ReceiptEdusDeps): ReceiptEdus {
  async function takeOne(view: RoomView, origin: ServerName, user: string, receipt: unknown): Promise<void> {
    const userId = parseUserId(user)
    if (!userId || serverOf(userId) !== origin || view.membership(userId) !== 'join') return
    if (!isObject(receipt) || !Array.isArray(receipt['event_ids'])) return
    const eventId = parseEventId(receipt['event_ids'][0])
    const event = eventId && (await rooms.event(eventId))
    if (!event || event.roomId !== view.roomId) return
    const threadId = threadIn(receipt['data'])
    await receipts.set(view.roomId, userId, [{ type: 'm.read', event, ...(threadId ? { threadId } : {}) }])
  }

  return {
    async take(origin, content) {
      let taken = 0
      for (const [id, types] of Object.entries(content)) {
        const roomId = parseRoomId(id)
        const read = isObject(types) ? types['m.read'] : undefined
        const view = roomId && isObject(read) ? await roomFor(rooms, origin, roomId) : null
        if (!view || !isObject(read)) continue
        const mine = Object.entries(read).slice(0, maxReceipts - taken)
        taken += mine.length
        await Promise.all(mine.map(([user, receipt]) => takeOne(view, origin, user, receipt)))
        if (taken >= maxReceipts) return
      }
    },
  }
}

function threadIn(data: unknown): ThreadId | undefined {
  const threadId = isObject(data) ? data['thread_id'] : undefined
  return threadId === 'main' ? threadId : (parseEventId(threadId) ?? undefined)
}
