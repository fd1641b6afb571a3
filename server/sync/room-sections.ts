/**
 * One room of a sync: what happened in it since then, up to now, as one reader may see it.
 *
 * `upTo` is the position of the whole response: nothing above it is shown, however far the room has moved on
 * while we looked. Spec: client-server-api#syncing, #get_matrixclientv3sync.
 */
import type { RoomId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Push } from '../push/push.ts'
import type { KnownEvents } from '../push/unread.ts'
import { clientEventWithoutRoomId, type Reader, type Shown } from '../rooms/client-event.ts'
import { erasedCopy, mayBeErased, withoutErasedChildren } from '../rooms/erased-events.ts'
import { splitStateKey, stateKeyOf } from '../rooms/graph-event.ts'
import { membershipSince } from '../rooms/past-membership.ts'
import type { People } from '../rooms/people.ts'
import type { Receipt, Receipts } from '../rooms/receipts.ts'
import type { RoomEvent, RoomMembership, Rooms, RoomView, StateAt } from '../rooms/rooms.ts'
import { timelineToken, tokenBelow } from '../rooms/timeline-token.ts'
import type { Typing } from '../rooms/typing.ts'
import type { Position } from '../store/store.ts'
import type { Changes } from './changes.ts'
import type { SyncFilter } from './filter.ts'
import type { LazySession } from './lazy-members.ts'
import type { AccountDataFeed, AccountDataItem, AggregationReader } from './ports.ts'
import type { JoinedRoom, LeftRoom, ShownEvent, Timeline } from './result.ts'
import { type RoomSummary, summaryOf } from './summary.ts'

export interface SectionDeps {
  readonly rooms: Rooms
  readonly receipts: Receipts
  readonly typing: Typing
  readonly push: Pick<Push, 'counts'>
  readonly people: Pick<People, 'erasedAmong'>
  readonly aggregations: AggregationReader
  readonly accountData: AccountDataFeed
  readonly changes: Changes
}

/** What one request asks of every room. */
export interface SectionRequest {
  readonly reader: Reader & { readonly userId: UserId }
  readonly filter: SyncFilter
  /** undefined: from the beginning. */
  readonly since: Position | undefined
  readonly typingSince: number | undefined
  readonly someoneTyped: boolean
  readonly upTo: Position
  readonly fullState: boolean
  readonly stateAfter: boolean
  readonly ignored: ReadonlySet<UserId>
  /** Only for filters with lazy_load_members. */
  readonly lazy: LazySession | undefined
}

/** Where the filter is silent, and the most that is looked through for one response. */
const defaultTimelineLimit = 10
const maxTimelineLimit = 1_000
const maxScanned = 2_000
/** Where the first look was not enough, because much of the room is filtered out or hidden. */
const rescanSize = 100

const join: Shown = { membership: 'join' }

/** undefined: nothing of it is worth a place in the response. */
export async function joinedRoom(
  deps: SectionDeps,
  request: SectionRequest,
  membership: RoomMembership,
  accountData: readonly AccountDataItem[],
): Promise<JoinedRoom | undefined> {
  const { rooms, changes } = deps
  const { reader, upTo, filter, lazy } = request
  const { roomId } = membership
  const view = await rooms.view(roomId)
  if (!view) return undefined
  changes.learnRoom(roomId, view.lastPosition)
  const since = await continuesSince(rooms, membership, request)
  const stayedSince = since !== undefined && membership.position <= since ? since : membership.position
  const hasNew = since === undefined || changes.roomChanged(roomId, since)
  const stretch = hasNew
    ? await readTimeline(deps, request, roomId, { after: since, upTo, stayedSince })
    : nothingNew
  const timeline = await showTimeline(deps, request, view, stretch, stayedSince, upTo)
  const complete = since === undefined || request.fullState
  const changed =
    complete || hasNew ? await stateOf(deps, request, view, stretch, { since, complete, upTo }) : []
  const membersChanged = hasMember(stretch.scanned ?? []) || hasMember(changed)
  const summary = complete || membersChanged ? summaryOf(view, reader.userId) : undefined
  if (lazy && complete) lazy.forgetRoom(roomId)
  const state = lazy
    ? await withLazyMembers(deps, request, lazy, view, stretch, changed, { complete, upTo, summary })
    : changed
  const { ephemeral, readByOwner } = await ephemeralOf(deps, request, view, since)
  const ownData =
    since === undefined && request.since !== undefined
      ? (await deps.accountData.all(reader.userId)).filter(each => each.roomId === roomId)
      : accountData
  const shownItems = shownData(filter, ownData, roomId, reader.userId)
  const isNews =
    complete ||
    timeline.events.length > 0 ||
    timeline.limited ||
    state.length > 0 ||
    ephemeral.length > 0 ||
    shownItems.length > 0 ||
    readByOwner
  if (!isNews) return undefined
  const known: KnownEvents | undefined =
    since !== undefined && stretch.scanned && !stretch.limited
      ? { after: since, events: stretch.scanned }
      : undefined
  const unread = await deps.push.counts(reader.userId, view, upTo, known)
  const byThread = filter.timeline.unreadThreadNotifications
  return {
    roomId,
    timeline,
    state: filter.state.matchesRoom(roomId) ? state.filter(filter.state.matches) : [],
    summary,
    ephemeral,
    accountData: shownItems,
    unread: byThread ? unread.main : unread.room,
    unreadThreads: byThread ? unread.threads : undefined,
  }
}

/** A room that the reader left, was banned from, or whose invite came to nothing. */
export async function leftRoom(
  deps: SectionDeps,
  request: SectionRequest,
  membership: RoomMembership,
  accountData: readonly AccountDataItem[],
): Promise<LeftRoom | undefined> {
  const { rooms } = deps
  const { reader, filter } = request
  const { roomId } = membership
  const ownData = shownData(filter, accountData, roomId, reader.userId)
  const own = await rooms.event(membership.eventId)
  const { joinedUntil } = membership
  const view = joinedUntil === undefined ? null : await rooms.view(roomId)
  const wasThere = joinedUntil !== undefined && (request.since === undefined || joinedUntil > request.since)
  const farewell: readonly ShownEvent[] =
    own && (!wasThere || own.position > joinedUntil!)
      ? [{ event: own, shown: { membership: membership.membership } }]
      : []
  const farewellState = request.stateAfter ? farewell.map(({ event }) => event) : []
  if (!wasThere || !view) {
    return {
      roomId,
      timeline: {
        events: farewell,
        limited: false,
        prevBatch: tokenBelow(own?.position ?? membership.position),
      },
      state: farewellState,
      accountData: ownData,
    }
  }
  const upTo = joinedUntil
  const since = await wasJoinedAt(rooms, membership, request.since)
  const stretch = await readTimeline(deps, request, roomId, { after: since, upTo, stayedSince: undefined })
  const timeline = await showTimeline(deps, request, view, stretch, undefined, upTo)
  const complete = since === undefined || request.fullState
  const changed = await stateOf(deps, request, view, stretch, { since, complete, upTo })
  if (request.lazy && complete) request.lazy.forgetRoom(roomId)
  const state = request.lazy
    ? await withLazyMembers(deps, request, request.lazy, view, stretch, changed, {
        complete,
        upTo,
        summary: undefined,
      })
    : changed
  return {
    roomId,
    timeline: { ...timeline, events: [...timeline.events, ...farewell] },
    state: filter.state.matchesRoom(roomId)
      ? [...state.filter(filter.state.matches), ...farewellState]
      : farewellState,
    accountData: ownData,
  }
}

/** The position from which the reader's copy of the room goes on; undefined: it has to begin anew. */
async function continuesSince(
  rooms: Rooms,
  membership: RoomMembership,
  { since }: SectionRequest,
): Promise<Position | undefined> {
  if (since === undefined || membership.position <= since) return since
  // Since then the reader came, came back, or only took another name: walk back through the own member events.
  let event: RoomEvent | null | undefined = await rooms.event(membership.eventId)
  while (event && event.position > since) {
    if (event.content['membership'] !== 'join') return undefined
    event = event.replacesState ? await rooms.event(event.replacesState.eventId) : undefined
  }
  return event?.content['membership'] === 'join' ? since : undefined
}

/** As above for a room that was left: joined at `since`, without a break until the leave. */
async function wasJoinedAt(
  rooms: Rooms,
  membership: RoomMembership,
  since: Position | undefined,
): Promise<Position | undefined> {
  if (since === undefined) return undefined
  let event = await rooms.event(membership.eventId)
  // What came after the last stay (a ban, another reason) and what ended it.
  while (event && event.position >= membership.joinedUntil! && event.content['membership'] !== 'join')
    event = event.replacesState ? await rooms.event(event.replacesState.eventId) : null
  while (event && event.position > since) {
    if (event.content['membership'] !== 'join') return undefined
    event = event.replacesState ? await rooms.event(event.replacesState.eventId) : null
  }
  return event?.content['membership'] === 'join' ? since : undefined
}

/** The newest part of a range, as far as it was looked at. */
interface Stretch {
  /** What the reader gets, oldest first. */
  readonly events: readonly RoomEvent[]
  /** All events from the first of these on; where there is no hole, of the whole range. undefined: not looked at. */
  readonly scanned: readonly RoomEvent[] | undefined
  readonly limited: boolean
  /** Order of the oldest event that was looked at. */
  readonly oldest: number | undefined
}

const nothingNew: Stretch = { events: [], scanned: [], limited: false, oldest: undefined }
const notWanted: Stretch = { ...nothingNew, scanned: undefined }

/** The newest events of a range that the filter lets through and the reader may see. */
async function readTimeline(
  { rooms }: SectionDeps,
  { reader, filter, ignored, stateAfter }: SectionRequest,
  roomId: RoomId,
  range: { after: Position | undefined; upTo: Position; stayedSince: Position | undefined },
): Promise<Stretch> {
  const { timeline } = filter
  if (!timeline.matchesRoom(roomId)) return notWanted
  const limit = Math.min(timeline.limit ?? defaultTimelineLimit, maxTimelineLimit)
  const newestFirst: RoomEvent[] = []
  const scanned: RoomEvent[] = []
  let before = range.upTo + 1
  let exhausted = false
  let size = limit + 1
  while (newestFirst.length <= limit && !exhausted && scanned.length < maxScanned) {
    const chunk = await rooms.timeline(roomId, {
      ...(range.after === undefined ? {} : { after: range.after }),
      before,
      reverse: true,
      limit: size,
    })
    exhausted = chunk.length < size
    size = Math.max(size, rescanSize)
    scanned.push(...chunk)
    if (chunk.length > 0) before = chunk.at(-1)!.order
    const wantedEvents = chunk.filter(
      event =>
        (timeline.matchesAll || timeline.matches(event)) &&
        (event.stateKey !== undefined || !ignored.has(event.sender)),
    )
    newestFirst.push(...(await visibleOf(rooms, reader.userId, wantedEvents, range.stayedSince)))
  }
  // With nothing shown by wish (a limit of 0), everything up to now lies behind the token.
  const oldest = limit === 0 ? undefined : scanned.at(-1)?.order
  const limited = newestFirst.length > limit || !exhausted
  const events = newestFirst.slice(0, limit).reverse()
  const from = limited && events[0] ? events[0].order : Number.NEGATIVE_INFINITY
  const ofTimeline = scanned.filter(each => each.order >= from).reverse()
  const misleading = stateAfter ? undefined : lastMisleading(ofTimeline, events)
  if (misleading === undefined) return { events, scanned: ofTimeline, limited, oldest }
  const isAfter = (each: RoomEvent) => each.order > misleading.order
  return { events: events.filter(isAfter), scanned: ofTimeline.filter(isAfter), limited: true, oldest }
}

/**
 * The last state event that the reader does not get although the timeline shows an older one in its place: who
 * builds the state from the timeline would end with the older one. The timeline must begin above it.
 */
function lastMisleading(scanned: readonly RoomEvent[], events: readonly RoomEvent[]): RoomEvent | undefined {
  if (scanned.length === events.length) return undefined
  const visible = new Set(events)
  const shown = new Set<string>()
  let last: RoomEvent | undefined
  for (const event of scanned) {
    if (event.stateKey === undefined) continue
    const key = stateKeyOf(event.type, event.stateKey)
    if (visible.has(event)) shown.add(key)
    else if (shown.has(key)) last = event
  }
  return last
}

/** While joined without a break one sees everything: nobody needs to be asked. Spec: client-server-api#room-history-visibility (2). */
async function visibleOf(
  rooms: Rooms,
  userId: UserId,
  events: readonly RoomEvent[],
  stayedSince: Position | undefined,
): Promise<readonly RoomEvent[]> {
  if (events.length === 0) return events
  if (stayedSince !== undefined && events.every(each => each.order >= stayedSince)) return events
  const visible = await rooms.visible(userId, events)
  return events.filter((_, i) => visible[i])
}

async function showTimeline(
  { rooms, aggregations, people }: SectionDeps,
  { reader, upTo: responseUpTo }: SectionRequest,
  view: RoomView,
  { events, limited, oldest }: Stretch,
  stayedSince: Position | undefined,
  upTo: Position,
): Promise<Timeline> {
  const first = events[0]
  const prevBatch = first
    ? tokenBelow(first.order as Position)
    : oldest === undefined
      ? timelineToken(Math.min(upTo, responseUpTo) as Position)
      : tokenBelow(oldest as Position)
  if (!first) return { events: [], limited, prevBatch }
  if (!limited && stayedSince !== undefined && events.every(each => each.order >= stayedSince))
    return { events: events.map(event => ({ event, shown: join })), limited, prevBatch }
  const membershipAt = await membershipSince(rooms, view, reader.userId, first.position)
  const at = (event: RoomEvent): Shown => {
    const membership = membershipAt(event.position)
    return membership === undefined ? {} : { membership }
  }
  const [relations, previous] = await Promise.all([
    // Spec: client-server-api#aggregations-of-child-events: "when the relevant section has a limited value of true".
    limited
      ? aggregations.bundle(reader.userId, events, (child, related) =>
          clientEventWithoutRoomId(child, reader, {
            ...at(child),
            ...(related === undefined ? {} : { relations: related }),
          }),
        )
      : undefined,
    hiddenPrevious(rooms, reader.userId, events, stayedSince),
  ])
  const strangers = events.filter(each => mayBeErased(each) && membershipAt(each.position) !== 'join')
  const erased =
    strangers.length === 0
      ? nobody
      : await people.erasedAmong([...new Set(strangers.map(each => each.sender))])
  const shownEvents = events.map(async (event): Promise<ShownEvent> => {
    if (membershipAt(event.position) !== 'join' && erased.has(event.sender) && mayBeErased(event))
      return { event: erasedCopy(event, view.version), shown: { ...at(event), erased: true } }
    const related = relations?.get(event.eventId)
    return {
      event,
      shown: {
        ...at(event),
        ...(related === undefined ? {} : { relations: await withoutErasedChildren(people, view, related) }),
        ...(previous.has(event) ? { hidesPrevContent: true } : {}),
      },
    }
  })
  return { events: await Promise.all(shownEvents), limited, prevBatch }
}

const nobody: ReadonlySet<UserId> = new Set()

/** State events whose predecessor the reader may not see. Spec: ClientEventWithoutRoomID, `prev_content`. */
async function hiddenPrevious(
  rooms: Rooms,
  userId: UserId,
  events: readonly RoomEvent[],
  stayedSince: Position | undefined,
): Promise<ReadonlySet<RoomEvent>> {
  const replacing = events.filter(each => each.replacesState !== undefined)
  if (replacing.length === 0) return new Set()
  const previous = await rooms.events(replacing.map(each => each.replacesState!.eventId))
  const found = previous.filter(each => each !== null)
  const visible = new Set(await visibleOf(rooms, userId, found, stayedSince))
  return new Set(replacing.filter((_, i) => !previous[i] || !visible.has(previous[i])))
}

/**
 * The state that belongs to a timeline: all of it or what changed since then, up to the timeline's start or
 * (`state_after`) its end. State that the timeline's filter hides is told here, or nobody would tell it.
 */
async function stateOf(
  { rooms }: SectionDeps,
  { stateAfter, filter }: SectionRequest,
  view: RoomView,
  { events, limited, scanned }: Stretch,
  { since, complete, upTo }: { since: Position | undefined; complete: boolean; upTo: Position },
): Promise<readonly RoomEvent[]> {
  const { roomId } = view
  if (!filter.state.matchesRoom(roomId)) return []
  const first = events[0]
  const stateInside = scanned?.filter(each => each.stateKey !== undefined) ?? []
  if (complete) {
    const isCurrent = stateAfter || !first || stateInside.length === 0
    if (isCurrent && view.lastPosition <= upTo) return [...view.allState()]
    const state = isCurrent
      ? await rooms.currentStateAsOf(roomId, upTo)
      : await rooms.stateAt(roomId, first.position, 'before')
    return isCurrent ? state.getAll() : withHidden(await state.getAll(), stateInside, events)
  }
  if (since === undefined) return []
  const hasHole = limited || !scanned
  if (stateAfter) {
    if (!hasHole && stateInside.length === 0) return []
    return changedBetween(
      await rooms.currentStateAsOf(roomId, since),
      await rooms.currentStateAsOf(roomId, upTo),
    )
  }
  if (!hasHole) return withHidden([], stateInside, events)
  const atStart = first
    ? rooms.stateAt(roomId, first.position, 'before')
    : rooms.currentStateAsOf(roomId, upTo)
  const changed = await changedBetween(await rooms.currentStateAsOf(roomId, since), await atStart)
  return first ? withHidden(changed, stateInside, events) : changed
}

/** Adds the state events that were looked at but are not in the timeline. */
function withHidden(
  state: readonly RoomEvent[],
  scanned: readonly RoomEvent[],
  shown: readonly RoomEvent[],
): readonly RoomEvent[] {
  if (scanned.length === 0) return state
  const visible = new Set(shown)
  const hidden = scanned.filter(each => !visible.has(each))
  if (hidden.length === 0) return state
  const byKey = new Map<string, RoomEvent>()
  for (const event of [...state, ...hidden]) byKey.set(stateKeyOf(event.type, event.stateKey!), event)
  return [...byKey.values()]
}

async function changedBetween(before: StateAt, after: StateAt): Promise<readonly RoomEvent[]> {
  const changed: Promise<RoomEvent | undefined>[] = []
  for (const [key, position] of after.ids) {
    if (before.ids.get(key) === position) continue
    const { type, stateKey } = splitStateKey(key)
    changed.push(after.get(type, stateKey))
  }
  const events = await Promise.all(changed)
  return events.filter(each => each !== undefined).sort((one, other) => one.position - other.position)
}

/**
 * Of the members only those that the response needs: senders of its events, the reader, heroes, and whoever
 * changed in a gap. Spec: client-server-api#lazy-loading-room-members.
 */
async function withLazyMembers(
  { rooms }: SectionDeps,
  { reader, filter, ignored, stateAfter }: SectionRequest,
  lazy: LazySession,
  view: RoomView,
  { events, scanned }: Stretch,
  state: readonly RoomEvent[],
  { complete, upTo, summary }: { complete: boolean; upTo: Position; summary: RoomSummary | undefined },
): Promise<readonly RoomEvent[]> {
  const { roomId } = view
  const needed = new Set<UserId>()
  for (const { sender } of events) if (!ignored.has(sender)) needed.add(sender)
  if (complete) needed.add(reader.userId)
  for (const hero of summary?.heroes ?? []) needed.add(hero)
  const kept: RoomEvent[] = []
  const covered = new Set<UserId>()
  for (const event of state) {
    if (event.type === 'm.room.member') {
      const userId = event.stateKey as UserId
      // A complete state is cut to what is needed; of a gap every change is told.
      if (complete && !isWanted(userId)) continue
      covered.add(userId)
      lazy.carries(roomId, userId)
    }
    kept.push(event)
  }
  if (complete) return kept
  const missing = [...needed].filter(userId => !covered.has(userId) && isWanted(userId))
  if (missing.length === 0) return kept
  const found = await membersBefore(rooms, view, missing, stateAfter ? undefined : events[0], scanned, upTo)
  for (const userId of missing) lazy.carries(roomId, userId)
  return [...kept, ...found]

  function isWanted(userId: UserId): boolean {
    return needed.has(userId) && (filter.state.includeRedundantMembers || !lazy.knows(roomId, userId))
  }
}

/** Member events as they stood before `first`, or (undefined) at the end. */
async function membersBefore(
  rooms: Rooms,
  view: RoomView,
  members: readonly UserId[],
  first: RoomEvent | undefined,
  scanned: readonly RoomEvent[] | undefined,
  upTo: Position,
): Promise<readonly RoomEvent[]> {
  const current = members.map(userId => view.state('m.room.member', userId))
  const changesInside = hasMember(scanned ?? [])
  const limit = first && changesInside ? first.position : upTo + 1
  if (current.every(event => !event || event.position < limit)) return current.filter(each => !!each)
  const state =
    first && changesInside
      ? await rooms.stateAt(view.roomId, first.position, 'before')
      : await rooms.currentStateAsOf(view.roomId, upTo)
  const found = await Promise.all(members.map(userId => state.get('m.room.member', userId)))
  return found.filter(each => !!each)
}

async function ephemeralOf(
  { receipts, typing, changes }: SectionDeps,
  { reader, filter, typingSince, someoneTyped, upTo, ignored }: SectionRequest,
  view: RoomView,
  since: Position | undefined,
): Promise<{ ephemeral: readonly JsonObject[]; readByOwner: boolean }> {
  const { roomId } = view
  const ephemeral: JsonObject[] = []
  let readByOwner = false
  const wanted = (type: string) =>
    filter.ephemeral.matchesRoom(roomId) &&
    filter.ephemeral.matches({ type, sender: '' as UserId, content: {} })
  if (since === undefined || changes.ephemeralChanged(roomId, since)) {
    const found = await receipts.since(roomId, since, upTo)
    if (found.length === 0 && since !== undefined) changes.learnEphemeral(roomId, since)
    readByOwner = found.some(each => each.userId === reader.userId)
    const shown = found.filter(
      ({ type, userId }) => (type === 'm.read' || userId === reader.userId) && !ignored.has(userId),
    )
    if (shown.length > 0 && wanted('m.receipt')) ephemeral.push(...receiptEvents(shown))
  }
  const typists = typing.typists(roomId).filter(each => view.membership(each) === 'join')
  const changed =
    since === undefined || typingSince === undefined
      ? typists.length > 0
      : typing.changedAt(roomId) > typingSince || (someoneTyped && typingSince < typing.firstSerial)
  if (changed && wanted('m.typing')) {
    ephemeral.push({ type: 'm.typing', content: { user_ids: typists.filter(each => !ignored.has(each)) } })
  }
  return { ephemeral, readByOwner }
}

/** Spec: client-server-api#receipts: one event for each thread, or one person's two receipts for one event collide. */
export function receiptEvents(receipts: readonly Receipt[]): readonly JsonObject[] {
  type Content = Record<string, Record<string, Record<string, JsonObject>>>
  const byThread = new Map<string | undefined, Content>()
  for (const { threadId, eventId, type, userId, ts } of receipts) {
    let content = byThread.get(threadId)
    if (!content) {
      content = {}
      byThread.set(threadId, content)
    }
    content[eventId] ??= {}
    content[eventId][type] ??= {}
    content[eventId][type][userId] = threadId === undefined ? { ts } : { ts, thread_id: threadId }
  }
  return [...byThread.values()].map(content => ({ type: 'm.receipt', content }))
}

function shownData(
  { roomAccountData: filter }: SyncFilter,
  items: readonly AccountDataItem[],
  roomId: RoomId,
  owner: UserId,
): readonly AccountDataItem[] {
  if (items.length === 0 || !filter.matchesRoom(roomId)) return []
  if (filter.matchesAll) return items
  return items.filter(({ type, content }) => filter.matches({ type, sender: owner, content }))
}

function hasMember(events: readonly RoomEvent[]): boolean {
  return events.some(each => each.type === 'm.room.member')
}
