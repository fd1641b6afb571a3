/**
 * What a person was notified of, the newest first, over all rooms. Nothing is stored for it: rules are held against history.
 *
 * Spec: client-server-api#get_matrixclientv3notifications
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import { type Receipts, type ThreadId, threadOf } from '../rooms/receipts.ts'
import type { RoomEvent, Rooms } from '../rooms/rooms.ts'
import type { Push } from './push.ts'
import type { PushAction } from './rules.ts'
import { contextOf } from './unread.ts'

export interface Notified {
  readonly event: RoomEvent
  readonly actions: readonly PushAction[]
  readonly read: boolean
}

export interface NotifiedDeps {
  readonly rooms: Pick<Rooms, 'memberships' | 'view' | 'timeline' | 'event' | 'visible'>
  readonly receipts: Pick<Receipts, 'marks'>
  readonly push: Pick<Push, 'evaluatorOf'>
  readonly ignoredUsers: (userId: UserId) => Promise<ReadonlySet<UserId>>
}

/** Of each room, so many of its newest events are looked at for one page. */
const perRoom = 200

/** Those below `before`. `next`: where the following page begins; null: that was all. */
export async function notifiedOf(
  deps: NotifiedDeps,
  userId: UserId,
  options: { readonly before: number; readonly limit: number; readonly highlightsOnly: boolean },
): Promise<{ readonly notified: Notified[]; readonly next: number | null }> {
  const found: Notified[] = []
  // Below this some room was not looked at: there the page ends.
  let horizon = 0
  for (const [roomId, { membership }] of await deps.rooms.memberships(userId)) {
    if (membership !== 'join') continue
    const { notified, lowest } = await ofRoom(deps, userId, roomId, options)
    found.push(...notified)
    horizon = Math.max(horizon, lowest)
  }
  const newest = found
    .filter(({ event }) => event.position >= horizon)
    .sort((a, b) => b.event.position - a.event.position)
  const notified = newest.slice(0, options.limit)
  if (newest.length > options.limit) return { notified, next: notified.at(-1)!.event.position }
  return { notified, next: horizon === 0 ? null : horizon }
}

async function ofRoom(
  deps: NotifiedDeps,
  userId: UserId,
  roomId: RoomId,
  { before, highlightsOnly }: { before: number; highlightsOnly: boolean },
): Promise<{ notified: Notified[]; lowest: number }> {
  const view = await deps.rooms.view(roomId)
  if (!view) return { notified: [], lowest: 0 }
  const [evaluate, marks, ignored, events] = await Promise.all([
    deps.push.evaluatorOf(userId),
    deps.receipts.marks(roomId, userId),
    deps.ignoredUsers(userId),
    deps.rooms.timeline(roomId, { before, after: 0, reverse: true, limit: perRoom }),
  ])
  const context = contextOf(view, userId)
  const visible = await deps.rooms.visible(userId, events)
  const notified: Notified[] = []
  /** Threads in which the person wrote later: what stands above that is read. */
  const answered = new Set<ThreadId>()
  for (const [i, event] of events.entries()) {
    if (event.sender === userId && event.type !== 'm.room.member')
      answered.add(await threadOf(event, deps.rooms.event))
    if (!visible[i] || event.sender === userId || ignored.has(event.sender) || event.redactedBecause) continue
    const { notify, highlight, actions } = evaluate(event, context)
    if (!notify || (highlightsOnly && !highlight)) continue
    const thread = await threadOf(event, deps.rooms.event)
    const mark = Math.max(marks.room, marks.threads.get(thread) ?? 0)
    notified.push({ event, actions, read: event.position <= mark || answered.has(thread) })
  }
  return { notified, lowest: events.length < perRoom ? 0 : events.at(-1)!.position }
}
