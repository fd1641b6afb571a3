/**
 * Takes one answer of a sync: into the engine, then into what we keep, in one commit together with the token to go on from.
 *
 * Order: messages between devices first, for they bring keys; then each room's members and encryption, so that the engine knows who
 * may read before anything is written; then what is encrypted is opened. A crash before the commit has the same answer come
 * again, and the engine takes what it has seen a second time without harm.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import type { Machine } from '../e2ee/machine.ts'
import type { RoomChange } from '../e2ee/room-settings.ts'
import type { DeviceMessage } from '../e2ee/to-device.ts'
import { receiveVerificationEvent } from '../e2ee/verification/received.ts'
import { VaultError } from '../vault/errors.ts'
import type { VaultWrite } from '../vault/records.ts'
import { invitationNotice, judged, notificationsOf, withMentions } from './attention.ts'
import { indexed, indexedEdits, isKept, redactionsOf, sessionMarks } from './kept-events.ts'
import type { Indexed, Outbox, Search, SyncNotice } from './ports.ts'
import { countsAsNews, newestPreview } from './preview.ts'
import { readEvents } from './reading.ts'
import { type Redaction, RelationBatch, redactedEvent } from './relations.ts'
import { newRoom, type Room, stateContent, updatedRoom, withReceipts, writesOf } from './room.ts'
import type { RoomEntry } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { BareEvent, ClientEvent, RoomUpdate, SyncAnswer } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

export interface ApplyDeps {
  readonly store: RoomStore
  readonly machine: Machine
  readonly outbox: Outbox
  readonly search: Search
  readonly tell: (notice: SyncNotice) => void
  readonly clock: () => number
}

/** What one room's part comes to: to be written, believed, told. */
interface Applied {
  readonly room: Room
  readonly entry: RoomEntry
  readonly timeline: Timeline
  readonly writes: readonly VaultWrite[]
  readonly notices: readonly SyncNotice[]
  readonly index: readonly Indexed[]
  readonly reindex: readonly Indexed[]
  readonly unindex: readonly string[]
  readonly echoed: readonly string[]
}

/** Where a sync goes on from: kept with what it told. */
export const sinceRecord = { collection: 'session', id: 'since' } as const

/**
 * What came from device to device and is not the engine's, for whom it concerns.
 * @throws VaultError where nothing could be stored: then nothing is believed, and the same answer is asked for again
 */
export function applySync(deps: ApplyDeps, answer: SyncAnswer): Promise<DeviceMessage[]> {
  return deps.store.alone(() => applyAnswer(deps, answer))
}

async function applyAnswer(deps: ApplyDeps, answer: SyncAnswer): Promise<DeviceMessage[]> {
  const { store, machine } = deps
  const messages = await machine.receiveSync(answer.engine)
  // Rules and direct chats are needed by every room of this answer.
  store.believe({ accountData: answer.accountData })
  const applied: Applied[] = []
  try {
    for (const update of answer.rooms) applied.push(await applyRoomOrState(deps, answer, update))
    const more = await otherEntries(deps, answer, new Set(applied.map(({ room }) => room.roomId)))
    await deps.search.commit(
      [
        ...answer.accountData.map(event => store.accountDataWrite(event)),
        ...applied.flatMap(({ writes }) => writes),
        ...more.map(entry => store.entryWrite(entry)),
        { ...sinceRecord, value: { token: answer.nextBatch } },
      ],
      {
        index: applied.flatMap(({ index }) => index),
        reindex: applied.flatMap(({ reindex }) => reindex),
        unindex: applied.flatMap(({ unindex }) => unindex),
      },
    )
    store.believe({
      rooms: applied.map(({ room }) => room),
      entries: [...applied.map(({ entry }) => entry), ...more],
    })
    for (const { timeline } of applied) timeline.written()
    tellAll(deps, answer, applied, more)
  } catch (error) {
    store.distrust(answer.rooms.map(({ roomId }) => roomId))
    throw error
  }
  return messages
}

function tellAll(
  { tell, outbox }: ApplyDeps,
  answer: SyncAnswer,
  applied: readonly Applied[],
  more: readonly RoomEntry[],
): void {
  const changed = [...applied.map(({ entry }) => entry), ...more]
  outbox.echoed(applied.flatMap(({ echoed }) => echoed))
  if (changed.length > 0) tell({ kind: 'rooms', changed, gone: [] })
  for (const { type } of answer.accountData) tell({ kind: 'account-data', type })
  for (const notice of applied.flatMap(({ notices }) => notices)) tell(notice)
}

/** Rules and direct chats change entries of rooms of which this answer says nothing else. */
async function otherEntries(
  { store }: ApplyDeps,
  answer: SyncAnswer,
  done: ReadonlySet<string>,
): Promise<RoomEntry[]> {
  const isGeneral = ({ type }: BareEvent) => type === 'm.push_rules' || type === 'm.direct'
  if (!answer.accountData.some(isGeneral)) return []
  const entries: RoomEntry[] = []
  for (const entry of store.entries) {
    if (done.has(entry.roomId)) continue
    const room = await store.room(entry.roomId)
    if (!room) continue
    const next = store.entryOf(room, entry.preview)
    if (next.muted !== entry.muted || next.directWith.join() !== entry.directWith.join()) entries.push(next)
  }
  return entries
}

/**
 * A room whose events we cannot take must not keep us from all the others: then its state is taken alone, and its events are a
 * gap, asked for again when somebody scrolls there.
 */
async function applyRoomOrState(deps: ApplyDeps, answer: SyncAnswer, update: RoomUpdate): Promise<Applied> {
  try {
    return await applyRoom(deps, update)
  } catch (error) {
    if (error instanceof VaultError) throw error
    deps.store.distrust([update.roomId])
    const state = { ...update, timeline: [], ephemeral: [], limited: true, prevBatch: answer.nextBatch }
    return applyRoom(deps, state)
  }
}

async function applyRoom(deps: ApplyDeps, update: RoomUpdate): Promise<Applied> {
  const { store, machine } = deps
  const { roomId, timeline: live } = update
  const before = await store.room(roomId)
  let room = updatedRoom(before ?? newRoom(roomId), update)
  const change = engineChange(before, room, update)
  if (change) await machine.receiveRoom(roomId, change)
  const timeline = await store.timeline(roomId)
  const events = await readEvents(machine, roomId, live)
  const kept = events.filter(isKept)
  const hasNothing = timeline.packNumbers.length === 0
  const startsAtOnce = live[0]?.type === 'm.room.create'
  const gap = update.limited || (hasNothing && !startsAtOnce) ? update.prevBatch : null
  await timeline.append(kept, gap)

  const relations = new RelationBatch(store.records, roomId)
  const redactions = redactionsOf(live)
  await relations.load(events.map(({ eventId }) => eventId))
  const touched = await relations.take(events, redactions)
  await strip(timeline, redactions)

  room = await withAllReceipts(room, update, events, timeline, relations, store.ourUserId)
  const verdicts = judged(store, before, room, kept)
  room = withMentions(before, room, kept, verdicts, store.ourUserId)
  const newest = kept.findLast(countsAsNews)
  const shown = store.entry(roomId)?.preview ?? null
  const preview =
    newest || (shown && touched.has(shown.eventId))
      ? await newestPreview(store, room, timeline, relations)
      : shown
  // Any server may write any time: what says it comes from the future came now, and does not stay above everything for ever.
  const now = deps.clock()
  const times = [room.lastTs, newest?.ts ?? 0, before === null ? joinTs(room, store.ourUserId) : 0]
  room = { ...room, lastTs: Math.max(...times.map(ts => Math.min(ts, now))) }
  await receiveVerifications(machine, roomId, before !== null, live, events)

  const entry = store.entryOf(room, preview)
  const typing = update.ephemeral.findLast(({ type }) => type === 'm.typing')
  const typingIds = typing ? stringsAt(typing.content, 'user_ids').filter(id => id !== store.ourUserId) : null
  if (typingIds) store.setTyping(roomId, typingIds)
  const isSeen =
    live.length > 0 ||
    gap !== null ||
    touched.size > 0 ||
    update.ephemeral.some(({ type }) => type === 'm.receipt')
  return {
    room,
    entry,
    timeline,
    writes: [
      ...writesOf(before, room),
      ...timeline.writes(),
      ...relations.writes(),
      store.entryWrite(entry),
      ...sessionMarks(roomId, kept),
    ],
    notices: [
      ...(isSeen ? [{ kind: 'timeline', roomId } as const] : []),
      ...(room.members === before?.members ? [] : [{ kind: 'members', roomId } as const]),
      ...(typingIds ? [{ kind: 'typing', roomId, userIds: typingIds } as const] : []),
      ...notificationsOf(room, entry, verdicts),
      ...invitationNotice(store, before, room, entry),
    ],
    index: events.flatMap(event => indexed(roomId, event, relations)),
    reindex: await indexedEdits(roomId, events, timeline, relations),
    unindex: redactions.map(({ redacts }) => redacts),
    echoed: live.flatMap(({ unsigned }) =>
      typeof unsigned['transaction_id'] === 'string' ? unsigned['transaction_id'] : [],
    ),
  }
}

const receiptPacks = 4

/** A receipt may stand at an event that has no line of its own: a reaction, an edit. */
async function withAllReceipts(
  room: Room,
  update: RoomUpdate,
  events: readonly StoredEvent[],
  timeline: Timeline,
  relations: RelationBatch,
  ourUserId: string,
): Promise<Room> {
  const receipts = update.ephemeral.filter(({ type }) => type === 'm.receipt')
  if (receipts.length === 0) return room
  const times = new Map(events.map(({ eventId, ts }) => [eventId, ts]))
  const missing = receipts.flatMap(({ content }) => Object.keys(content)).filter(id => !times.has(id))
  await relations.load(missing)
  for (const eventId of missing) {
    const found = await timeline.find(eventId, receiptPacks)
    const ts = found?.pack.events[found.index]?.ts ?? relations.of(eventId).belongsTo?.ts
    if (ts !== undefined) times.set(eventId, ts)
  }
  return receipts.reduce(
    (each, { content }) => withReceipts(each, content, eventId => times.get(eventId) ?? null, ourUserId),
    room,
  )
}

/** The first time, everybody who is there; later, whose membership is news. Null: nothing that the engine has to know. */
function engineChange(before: Room | null, room: Room, update: RoomUpdate): RoomChange | null {
  if (room.membership !== 'join') return null
  const isNew = before === null || before.membership !== 'join'
  const changed = update.state.filter(({ type }) => type === 'm.room.member').map(({ stateKey }) => stateKey)
  const invites = [...update.state, ...update.timeline].filter(
    ({ type, stateKey, content }) =>
      type === 'm.room.member' && stateKey !== null && content['membership'] === 'invite',
  )
  const isRule = ({ type }: { type: string }) =>
    type === 'm.room.encryption' || type === 'm.room.history_visibility'
  if (!isNew && changed.length === 0 && invites.length === 0 && !update.state.some(isRule)) return null
  return {
    ...roomChange(room, isNew ? room.members.keys() : changed),
    invites: invites.map(({ stateKey, sender, content }) => ({ userId: stateKey!, sender, content })),
  }
}

/** What the engine has to know of the room and of these members. */
export function roomChange(room: Room, userIds: Iterable<string>): RoomChange {
  const encryption = stateContent(room, 'm.room.encryption')
  const { history_visibility: historyVisibility } = stateContent(room, 'm.room.history_visibility')
  return {
    ...(typeof encryption['algorithm'] === 'string' && { encryption }),
    ...(typeof historyVisibility === 'string' && { historyVisibility }),
    members: Object.fromEntries([...userIds].map(userId => [userId, engineMembership(room, userId)])),
  }
}

function engineMembership(room: Room, userId: string): 'join' | 'invite' | null {
  const membership = room.members.get(userId)?.membership
  return membership === 'join' || membership === 'invite' ? membership : null
}

const stripPacks = 40

/** What was redacted goes from this device too, where it is within reach; a page hides it wherever it is. */
async function strip(timeline: Timeline, redactions: readonly Redaction[]): Promise<void> {
  for (const redaction of redactions) {
    const found = await timeline.find(redaction.redacts, stripPacks)
    if (!found) continue
    await timeline.replace(found.pack.number, event =>
      event.eventId === redaction.redacts ? redactedEvent(event, redaction) : event,
    )
  }
}

function joinTs(room: Room, ourUserId: string): number {
  return room.members.get(ourUserId)?.ts ?? 0
}

/** Verification in a room: only what comes while we look; an old request is over. */
async function receiveVerifications(
  machine: Machine,
  roomId: string,
  isLive: boolean,
  raw: readonly ClientEvent[],
  events: readonly StoredEvent[],
): Promise<void> {
  if (!isLive) return
  for (const [i, event] of events.entries()) {
    const isRequest =
      event.type === 'm.room.message' && event.content['msgtype'] === 'm.key.verification.request'
    if (!isRequest && !event.type.startsWith('m.key.verification.')) continue
    const room = { roomId, eventId: event.eventId, originServerTs: raw[i]!.ts }
    const type = isRequest ? 'm.key.verification.request' : event.type
    await machine.run((step, context) =>
      receiveVerificationEvent(step, context, { sender: event.sender, type, content: event.content, room }),
    )
  }
}

function stringsAt(object: JsonObject, name: string): string[] {
  const list = isObject(object) ? object[name] : undefined
  return Array.isArray(list) ? list.filter(each => typeof each === 'string') : []
}
