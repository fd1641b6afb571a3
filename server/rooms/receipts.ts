/**
 * Receipts: how far each person has read a room, as a whole or by thread.
 *
 * One row per (room, person, type, thread), replaced, never moved backwards. A room's receipts are few (a
 * handful per member), so a room that someone looks at holds them in memory in the order in which they
 * changed: what is new since a position is the end of that list. What is queued waits beside the list until
 * it is durable; readers never see it.
 *
 * Who may see which receipt is the reader's business: `m.read.private` belongs to its owner alone.
 * Spec: client-server-api#receipts.
 */
import type { Outbound } from '../peers/outbound.ts'
import { type EventId, type RoomId, serverOf, type UserId } from '../protocol/ids.ts'
import { isObject } from '../protocol/json.ts'
import { type ReceiptRow, receiptTable } from '../store/catalogue.ts'
import type { Position, Store } from '../store/store.ts'
import { receiptItem } from './receipt-edus.ts'
import { otherServersIn } from './room-edus.ts'
import type { RoomEvent, Rooms } from './rooms.ts'

export type ReceiptType = 'm.read' | 'm.read.private'

/** `main`, or the event id of the thread's root; undefined is a receipt for the room as a whole. */
export type ThreadId = 'main' | EventId

export interface Receipt {
  readonly userId: UserId
  readonly type: ReceiptType
  readonly threadId: ThreadId | undefined
  readonly eventId: EventId
  /** Where the event stands that it points to, and where the receipt itself stands. */
  readonly eventPosition: Position
  readonly position: Position
  readonly ts: number
}

/** How far one person has read: the more advanced of the public and the private receipt. */
export interface ReadMarks {
  readonly room: Position
  readonly threads: ReadonlyMap<ThreadId, Position>
  /** Changes whenever one of them does. */
  readonly version: Position
}

export interface NewReceipt {
  readonly type: ReceiptType
  readonly event: { readonly eventId: EventId; readonly position: Position }
  readonly threadId?: ThreadId | undefined
}

export interface Receipts {
  /** Takes those that point further than the ones they replace, in one commit; answers how many. */
  set(roomId: RoomId, userId: UserId, receipts: readonly NewReceipt[]): Promise<number>
  /** Changed above `after` (all, where it is undefined) and at or below `until`; oldest first. */
  since(roomId: RoomId, after: Position | undefined, until: Position): Promise<readonly Receipt[]>
  marks(roomId: RoomId, userId: UserId): Promise<ReadMarks>
}

/** Receipts that memory holds over all rooms; the rooms longest unused are dropped beyond it. */
const maxReceiptsInMemory = 200_000

/** Of one person in one room: beyond it, receipts of the threads that were read longest ago go. */
const maxReceiptsOfPerson = 500

interface RoomReceipts {
  /** Durable, in the order of their positions. */
  receipts: Receipt[]
  /** Queued, not durable yet; the room must not be dropped meanwhile. */
  readonly pending: Receipt[]
}

/** How other servers hear of receipts of our people. */
export interface ReceiptOutlet {
  readonly outbound: Pick<Outbound, 'put'>
  readonly rooms: Pick<Rooms, 'serverName' | 'view'>
}

export interface ReceiptsOptions {
  readonly store: Store
  readonly clock: () => number
  /** Without it there are no other servers. */
  readonly outlet?: ReceiptOutlet | undefined
}

export function openReceipts({ store, clock, outlet }: ReceiptsOptions): Receipts {
  const rooms = new Map<RoomId, RoomReceipts>()
  const loading = new Map<RoomId, Promise<RoomReceipts>>()
  const withPending = new Set<RoomReceipts>()
  let total = 0

  store.onReset(() => {
    rooms.clear()
    loading.clear()
    withPending.clear()
    total = 0
  })

  store.onDurable(({ durablePosition }) => {
    for (const room of withPending) {
      while (room.pending.length > 0 && room.pending[0]!.position <= durablePosition)
        replace(room, room.pending.shift()!)
      if (room.pending.length === 0) withPending.delete(room)
    }
  })

  /** The durable receipts that must go if this person gets `more` new ones; never those for the room as a whole. */
  function superfluous(room: RoomReceipts, userId: UserId, more: number): Receipt[] {
    if (room.receipts.length + more <= maxReceiptsOfPerson) return []
    const ofThreads = room.receipts.filter(each => each.userId === userId && each.threadId !== undefined)
    return ofThreads.slice(0, Math.max(0, ofThreads.length + more - maxReceiptsOfPerson))
  }

  function drop(room: RoomReceipts, receipt: Receipt) {
    const at = room.receipts.indexOf(receipt)
    if (at < 0) return
    room.receipts.splice(at, 1)
    total--
  }

  function replace(room: RoomReceipts, receipt: Receipt) {
    const old = indexOf(room.receipts, receipt.userId, receipt.type, receipt.threadId)
    if (old >= 0) room.receipts.splice(old, 1)
    else total++
    room.receipts.push(receipt)
  }

  function open(roomId: RoomId): RoomReceipts | Promise<RoomReceipts> {
    const known = rooms.get(roomId)
    if (known) {
      rooms.delete(roomId)
      rooms.set(roomId, known)
      return known
    }
    const started = loading.get(roomId)
    if (started) return started
    const load: Promise<RoomReceipts> = loadRoom(roomId, () => loading.get(roomId) === load)
    loading.set(roomId, load)
    return load
  }

  async function loadRoom(roomId: RoomId, stillWanted: () => boolean): Promise<RoomReceipts> {
    try {
      const rows = await store.read(view => view.range(receiptTable.under(roomId)))
      const receipts = rows.map(row =>
        receiptOf(row.parts[1] as UserId, row.parts[2], row.parts[3], row.value),
      )
      receipts.sort((one, other) => one.position - other.position)
      const room = { receipts, pending: [] }
      // After a reset someone else may already hold this room.
      if (stillWanted()) {
        rooms.set(roomId, room)
        total += receipts.length
        dropUnused(roomId)
      }
      return room
    } finally {
      if (stillWanted()) loading.delete(roomId)
    }
  }

  function dropUnused(except: RoomId) {
    for (const [roomId, room] of rooms) {
      if (total <= maxReceiptsInMemory) return
      if (room.pending.length > 0 || roomId === except) continue
      rooms.delete(roomId)
      total -= room.receipts.length
    }
  }

  /** Of somebody of ours. A private receipt is nobody's business. */
  async function serversToTell(roomId: RoomId, userId: UserId, wanted: readonly NewReceipt[]) {
    if (!outlet || serverOf(userId) !== outlet.rooms.serverName) return []
    if (!wanted.some(({ type }) => type === 'm.read')) return []
    return otherServersIn(await outlet.rooms.view(roomId), outlet.rooms.serverName)
  }

  return {
    set: (roomId, userId, wanted) =>
      store.transact(`receipts:${roomId}`, async tx => {
        const servers = await serversToTell(roomId, userId, wanted)
        // This room's only writer; between here and the queue nobody else runs.
        const room = await open(roomId)
        const forward = wanted.filter(each => movesForward(room, userId, each))
        if (forward.length === 0) return 0
        tx.sequence((next, rows) => {
          for (const old of superfluous(room, userId, forward.length)) {
            rows.delete(receiptTable.key(roomId, userId, old.type, old.threadId ?? ''))
            drop(room, old)
          }
          for (const { type, threadId, event } of forward) {
            const row: ReceiptRow = {
              eventId: event.eventId,
              eventPosition: event.position,
              position: next(),
              ts: clock(),
            }
            rows.put(receiptTable.key(roomId, userId, type, threadId ?? ''), row)
            const receipt = receiptOf(userId, type, threadId ?? '', row)
            room.pending.push(receipt)
            if (type !== 'm.read') continue
            for (const server of servers) outlet!.outbound.put(rows, server, receiptItem(roomId, receipt))
          }
          rooms.set(roomId, room)
          withPending.add(room)
          rows.announce(`ephemeral:${roomId}`)
        })
        return forward.length
      }),

    async since(roomId, after, until) {
      const { receipts } = await open(roomId)
      let from = receipts.length
      while (from > 0 && (after === undefined || receipts[from - 1]!.position > after)) from--
      let to = receipts.length
      while (to > from && receipts[to - 1]!.position > until) to--
      return receipts.slice(from, to)
    },

    async marks(roomId, userId) {
      const { receipts } = await open(roomId)
      let room = 0
      let version = 0
      const threads = new Map<ThreadId, Position>()
      for (const receipt of receipts) {
        if (receipt.userId !== userId) continue
        version = receipt.position
        const { threadId, eventPosition } = receipt
        if (threadId === undefined) room = Math.max(room, eventPosition)
        else if ((threads.get(threadId) ?? 0) < eventPosition) threads.set(threadId, eventPosition)
      }
      return { room: room as Position, threads, version: version as Position }
    },
  }
}

function receiptOf(userId: UserId, type: string, thread: string, row: ReceiptRow): Receipt {
  return {
    userId,
    type: type as ReceiptType,
    threadId: thread === '' ? undefined : (thread as ThreadId),
    eventId: row.eventId,
    eventPosition: row.eventPosition,
    position: row.position,
    ts: row.ts,
  }
}

function indexOf(
  receipts: readonly Receipt[],
  userId: UserId,
  type: ReceiptType,
  threadId?: ThreadId,
): number {
  return receipts.findLastIndex(
    each => each.userId === userId && each.type === type && each.threadId === threadId,
  )
}

function movesForward(room: RoomReceipts, userId: UserId, { type, threadId, event }: NewReceipt): boolean {
  const newest = (list: readonly Receipt[]) => list[indexOf(list, userId, type, threadId)]
  const old = newest(room.pending) ?? newest(room.receipts)
  return !old || old.eventPosition < event.position
}

/** Spec: client-server-api#threaded-read-receipts: "a maximum of 3 hops is recommended". */
const maxHops = 3

/** The thread that an event belongs to. Answers at once for what relates to nothing, which is nearly all. */
export function threadOf(
  event: RoomEvent,
  lookup: (eventId: EventId) => Promise<RoomEvent | null>,
): ThreadId | Promise<ThreadId> {
  const relation = relationOf(event)
  if (!relation) return 'main'
  return relation.type === 'm.thread' ? relation.eventId : follow(relation.eventId, lookup)
}

async function follow(
  eventId: EventId,
  lookup: (eventId: EventId) => Promise<RoomEvent | null>,
): Promise<ThreadId> {
  let at = eventId
  for (let hop = 0; hop < maxHops; hop++) {
    const parent = await lookup(at)
    const relation = parent && relationOf(parent)
    if (!relation) return 'main'
    if (relation.type === 'm.thread') return relation.eventId
    at = relation.eventId
  }
  return 'main'
}

function relationOf(event: RoomEvent): { type: string; eventId: EventId } | undefined {
  const relation = event.content['m.relates_to']
  if (!isObject(relation)) return undefined
  const { rel_type: type, event_id: eventId } = relation
  return typeof type === 'string' && typeof eventId === 'string'
    ? { type, eventId: eventId as EventId }
    : undefined
}
