/**
 * The bell: which pushers are to be rung for an event, and the ringing.
 *
 * Each event leaves a row in its own batch (`unheardEvents`). The bell looks at these rows in order, holds the event against
 * the push rules of everybody whom it concerns and who has pushers, and puts a row for each pusher that is to be rung;
 * both in one transaction, so that a crash neither forgets nor repeats. Encrypted events are judged by what the server sees
 * of them. A ring waits a moment, and is left out where the person has read meanwhile.
 *
 * A push service that does not answer is asked again, ever more rarely, for a day; one that says that the subscription is gone
 * (404, 410) ends the pusher. RFC 8030 §7.3.
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { parseEventId } from '../protocol/ids.ts'
import type { Projection } from '../rooms/projection.ts'
import type { RoomEvent, Rooms, RoomView } from '../rooms/rooms.ts'
import { type RingRow, ringTable, unheardEventTable, type VapidRow } from '../store/catalogue.ts'
import type { Position, Store } from '../store/store.ts'
import type { Push } from './push.ts'
import type { Pusher, Pushers } from './pushers.ts'
import { contextOf } from './unread.ts'
import { isAllowedEndpoint, pushRequest, type SendPush } from './web-push.ts'

/** Joins the rooms' projections where push is on. */
export const unheardEvents: Projection = {
  name: 'unheard events',
  rows: (event, _view, _loaded, rows) => rows.put(unheardEventTable.key(event.position), event.eventId),
}

export interface Bell {
  /** Waits for what is under way; later events ring at the next start. */
  close(): Promise<void>
}

export interface BellDeps {
  readonly store: Store
  readonly rooms: Pick<Rooms, 'event' | 'view' | 'serverName'>
  readonly push: Pick<Push, 'evaluatorOf' | 'counts'>
  readonly pushers: Pushers
  readonly ignoredUsers: (userId: UserId) => Promise<ReadonlySet<UserId>>
  readonly send: SendPush
  readonly hosts: readonly string[]
  readonly vapid: VapidRow
  readonly subject: string
  readonly clock: () => number
  /** No identities. */
  readonly report: (message: string) => void
}

/** Somebody who reads on another device is not rung; and what comes at once is one ring. */
export const ringDelayMs = 2_000
const firstRetryMs = 30_000
const longestRetryMs = 60 * 60 * 1000
const farthestMs = 2 * longestRetryMs
const giveUpMs = 24 * 60 * 60 * 1000
const eventsAtOnce = 100
const ringsAtOnce = 20
/** The count is for a person's eye. */
const maxRooms = 100

export function openBell(deps: BellDeps): Bell {
  const { store, clock } = deps
  let isClosed = false
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let isDue = false

  const wake = () => {
    isDue = true
    if (isClosed || running) return
    running = run()
      .catch(() => deps.report('push could not be looked after; it is tried again'))
      .finally(() => {
        running = null
        if (isDue) wake()
      })
  }

  const run = async (): Promise<void> => {
    isDue = false
    while (!isClosed && (await hearSome(deps))) {}
    const nextTs = isClosed ? null : await ringSome(deps)
    if (timer) clearTimeout(timer)
    if (nextTs === null || isClosed) return
    timer = setTimeout(wake, Math.min(Math.max(nextTs - clock(), 50), longestRetryMs)).unref()
  }

  const stopListening = store.onDurable(({ topics }) => {
    for (const topic of topics) if (topic.startsWith('room:')) return wake()
  })
  wake()
  return {
    close: async () => {
      isClosed = true
      stopListening()
      if (timer) clearTimeout(timer)
      await running
    },
  }
}

// ── whom an event concerns ───────────────────────────────────────────────────────────────────────────

interface Due {
  readonly pusher: Pusher
  readonly event: RoomEvent
}

/** False: nothing is left. */
async function hearSome(deps: BellDeps): Promise<boolean> {
  const { store } = deps
  const rows = await store.read(view => view.range(unheardEventTable.under(), { limit: eventsAtOnce }))
  if (rows.length === 0) return false
  const due: Due[] = []
  for (const { value } of rows) due.push(...(await concerned(deps, parseEventId(value)!)))
  await store.transact('push-bell', async tx => {
    const now = deps.clock()
    for (const { key } of rows) tx.delete(key)
    for (const { pusher, event } of due) {
      const key = ringKey(pusher)
      const ring = (await tx.get(key)) ?? {
        rooms: [],
        revision: 0,
        sinceTs: now,
        // Other servers' clocks are theirs.
        nextTs: Math.min(event.originServerTs, now) + ringDelayMs,
        attempts: 0,
      }
      const rooms = [...new Set([...ring.rooms, event.roomId])].slice(0, maxRooms)
      tx.put(key, { ...ring, rooms, revision: ring.revision + 1 })
    }
  })
  return rows.length === eventsAtOnce
}

async function concerned(deps: BellDeps, eventId: EventId): Promise<Due[]> {
  const event = await deps.rooms.event(eventId)
  const view = event && (await deps.rooms.view(event.roomId))
  if (!event || !view || event.redactedBecause) return []
  const found: Due[] = []
  for (const userId of audience(event, view, deps.rooms.serverName)) {
    const pushers = await deps.pushers.of(userId)
    if (pushers.length === 0 || (await deps.ignoredUsers(userId)).has(event.sender)) continue
    const evaluate = await deps.push.evaluatorOf(userId)
    if (!evaluate(event, contextOf(view, userId)).notify) continue
    for (const pusher of pushers) found.push({ pusher, event })
  }
  return found
}

/** Spec: client-server-api#receiving-notifications: who is in the room, but for the sender; and who is invited by it. */
function* audience(event: RoomEvent, view: RoomView, serverName: string): Iterable<UserId> {
  const isOurs = (userId: string) => userId.endsWith(`:${serverName}`)
  for (const { stateKey } of view.members('join'))
    if (stateKey !== event.sender && isOurs(stateKey)) yield stateKey
  const isInvite = event.type === 'm.room.member' && event.content['membership'] === 'invite'
  if (isInvite && event.stateKey !== undefined && isOurs(event.stateKey)) yield event.stateKey as UserId
}

// ── ringing ──────────────────────────────────────────────────────────────────────────────────────────

/** When the next one is due; null: none waits. */
async function ringSome(deps: BellDeps): Promise<number | null> {
  const waiting = await deps.store.read(view => view.range(ringTable.under()))
  const now = deps.clock()
  // Nothing is put off for longer than this: then the clock was set back since.
  const isDue = (nextTs: number) => nextTs <= now || nextTs - now > farthestMs
  const due = waiting.filter(({ value }) => isDue(value.nextTs)).slice(0, ringsAtOnce)
  await Promise.all(
    due.map(async ({ parts: [userId, appId, pushKey], value }) => {
      const pusher = (await deps.pushers.of(userId as UserId)).find(
        each => each.appId === appId && each.pushKey === pushKey,
      )
      if (pusher) await ring(deps, pusher, value)
      // It was removed between the event and its ring.
      else await deps.store.transact('push-bell', tx => tx.delete(ringTable.key(userId, appId, pushKey)))
    }),
  )
  const left = await deps.store.read(view => view.range(ringTable.under()))
  return left.length === 0 ? null : Math.min(...left.map(({ value }) => value.nextTs))
}

async function ring(deps: BellDeps, pusher: Pusher, row: RingRow): Promise<void> {
  const rooms = await unreadRooms(deps, pusher.userId, row.rooms as readonly RoomId[])
  // What the configuration no longer allows is not reached either.
  if (rooms === 0 || !isAllowedEndpoint(pusher.endpoint, deps.hosts)) return settle(deps, pusher, row)
  const { status, retryAfterSeconds } = await attempt(deps, pusher, rooms)
  if (status >= 200 && status < 300) return settle(deps, pusher, row)
  if (status === 404 || status === 410) return deps.pushers.remove(pusher)
  const now = deps.clock()
  deps.report(`a push service answered ${status === 0 ? 'nothing' : status}`)
  if (now - row.sinceTs >= giveUpMs) return settle(deps, pusher, row)
  const waitMs = Math.max(
    Math.min(firstRetryMs * 2 ** row.attempts, longestRetryMs),
    Math.min((retryAfterSeconds ?? 0) * 1000, farthestMs),
  )
  await change(deps, pusher, latest => ({ ...latest, attempts: row.attempts + 1, nextTs: now + waitMs }))
}

/** Status 0: no answer. */
async function attempt(
  deps: BellDeps,
  pusher: Pusher,
  rooms: number,
): Promise<{ status: number; retryAfterSeconds: number | null }> {
  try {
    const payload = JSON.stringify({ rooms, lang: pusher.lang })
    return await deps.send(await pushRequest(pusher, payload, deps.vapid, deps.subject))
  } catch {
    return { status: 0, retryAfterSeconds: null }
  }
}

/** In how many of these something still waits to be read. */
async function unreadRooms(deps: BellDeps, userId: UserId, roomIds: readonly RoomId[]): Promise<number> {
  let unread = 0
  for (const roomId of roomIds) {
    const view = await deps.rooms.view(roomId)
    if (!view) continue
    if (view.membership(userId) === 'invite') unread++
    else if (view.membership(userId) === 'join') {
      const { room } = await deps.push.counts(userId, view, view.lastPosition as Position)
      if (room.notifications > 0) unread++
    }
  }
  return unread
}

/** It was rung, or need not be. What came meanwhile rings again. */
async function settle(deps: BellDeps, pusher: Pusher, row: RingRow): Promise<void> {
  await change(deps, pusher, now => {
    if (now.revision === row.revision) return null
    return { ...now, attempts: 0, sinceTs: deps.clock(), nextTs: deps.clock() + ringDelayMs }
  })
}

function change(deps: BellDeps, pusher: Pusher, how: (row: RingRow) => RingRow | null): Promise<void> {
  return deps.store.transact('push-bell', async tx => {
    const key = ringKey(pusher)
    const row = await tx.get(key)
    if (!row) return
    const next = how(row)
    if (next) tx.put(key, next)
    else tx.delete(key)
  })
}

function ringKey({ userId, appId, pushKey }: Pusher) {
  return ringTable.key(userId, appId, pushKey)
}
