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
import type { VaultWrite } from '../vault/records.ts'
import { memberName } from './names.ts'
import type { Indexed, Outbox, Search, SyncNotice } from './ports.ts'
import { powerOf, powerToNotifyRoom } from './power.ts'
import { judge, type PushVerdict } from './push-rules.ts'
import { plainText, readEvents } from './reading.ts'
import { type Redaction, RelationBatch, redactedEvent, validEdit } from './relations.ts'
import { newRoom, type Room, stateContent, updatedRoom, withReceipts, writesOf } from './room.ts'
import type { Preview, RoomEntry } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import { relationOf, type StoredEvent } from './stored-event.ts'
import type { BareEvent, ClientEvent, RoomUpdate, SyncAnswer } from './sync-answer.ts'
import type { Timeline } from './timeline.ts'

export interface ApplyDeps {
  readonly store: RoomStore
  readonly machine: Machine
  readonly outbox: Outbox
  readonly search: Search
  readonly tell: (notice: SyncNotice) => void
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
export async function applySync(deps: ApplyDeps, answer: SyncAnswer): Promise<DeviceMessage[]> {
  const { store, machine } = deps
  const messages = await machine.receiveSync(answer.engine)
  // Rules and direct chats are needed by every room of this answer.
  store.believe({ accountData: answer.accountData })
  const applied: Applied[] = []
  try {
    for (const update of answer.rooms) applied.push(await applyRoom(deps, update))
    const more = await otherEntries(deps, answer, new Set(applied.map(({ room }) => room.roomId)))
    await store.records.commit([
      ...answer.accountData.map(event => store.accountDataWrite(event)),
      ...applied.flatMap(({ writes }) => writes),
      ...more.map(entry => store.entryWrite(entry)),
      { ...sinceRecord, value: { token: answer.nextBatch } },
    ])
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
  await indexAll(deps.search, applied)
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

async function indexAll(search: Search, applied: readonly Applied[]): Promise<void> {
  const index = applied.flatMap(each => each.index)
  const reindex = applied.flatMap(each => each.reindex)
  const eventIds = applied.flatMap(each => each.unindex)
  if (index.length > 0) await search.index(index)
  if (reindex.length > 0) await search.reindex(reindex)
  if (eventIds.length > 0) await search.unindex({ eventIds })
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

async function applyRoom(deps: ApplyDeps, update: RoomUpdate): Promise<Applied> {
  const { store, machine } = deps
  const { roomId } = update
  const before = await store.room(roomId)
  let room = updatedRoom(before ?? newRoom(roomId), update)
  if (room.membership === 'join') {
    await machine.receiveRoom(roomId, engineChange(before, room, update))
  }
  const timeline = await store.timeline(roomId)
  const live = update.timeline.filter(event => !store.isIgnored(event.sender))
  const events = await readEvents(machine, roomId, live)
  const kept = events.filter(isKept)
  const hasNothing = timeline.packNumbers.length === 0
  const startsAtOnce = live[0]?.type === 'm.room.create'
  const gap = update.limited || (hasNothing && !startsAtOnce) ? update.prevBatch : null
  await timeline.append(kept, gap)

  const relations = new RelationBatch(store.records, roomId)
  const redactions = redactionsOf(live)
  const touched = await relations.take(events, redactions)
  await strip(timeline, redactions)

  for (const event of update.ephemeral) {
    if (event.type === 'm.receipt')
      room = withReceipts(room, event.content, eventId => tsOf(timeline, eventId))
  }
  const verdicts = before === null ? [] : judged(store, room, kept)
  room = withMentions(before, room, verdicts, store.ourUserId)
  const newest = kept.findLast(countsAsNews)
  const preview = await previewOf(store, room, timeline, relations, touched, newest ?? null)
  room = {
    ...room,
    lastTs: Math.max(room.lastTs, newest?.ts ?? 0, before === null ? joinTs(room, store.ourUserId) : 0),
  }
  await receiveVerifications(machine, roomId, before !== null, live, events)

  const entry = store.entryOf(room, preview)
  const typing = update.ephemeral.findLast(({ type }) => type === 'm.typing')
  const typingIds = typing ? stringsAt(typing.content, 'user_ids').filter(id => id !== store.ourUserId) : null
  if (typingIds) store.setTyping(roomId, typingIds)
  const isSeen =
    update.timeline.length > 0 ||
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
      ...verdicts.filter(({ verdict }) => verdict.notify).map(each => notification(room, entry, each)),
    ],
    index: events.flatMap(event => indexed(roomId, event)),
    reindex: events.flatMap(event => indexedEdit(roomId, event, timeline)),
    unindex: redactions.map(({ redacts }) => redacts),
    echoed: live.flatMap(({ unsigned }) =>
      typeof unsigned['transaction_id'] === 'string' ? unsigned['transaction_id'] : [],
    ),
  }
}

/** The first time, everybody who is there; later, whose membership is news. */
function engineChange(before: Room | null, room: Room, update: RoomUpdate): RoomChange {
  const isNew = before === null || before.membership !== 'join'
  const changed = isNew
    ? [...room.members.keys()]
    : update.state.filter(({ type }) => type === 'm.room.member').map(({ stateKey }) => stateKey)
  const encryption = stateContent(room, 'm.room.encryption')
  const { history_visibility: historyVisibility } = stateContent(room, 'm.room.history_visibility')
  const invites = [...update.state, ...update.timeline].filter(
    ({ type, stateKey, content }) =>
      type === 'm.room.member' &&
      stateKey !== null &&
      stateKey !== undefined &&
      content['membership'] === 'invite',
  )
  return {
    ...(typeof encryption['algorithm'] === 'string' && { encryption }),
    ...(typeof historyVisibility === 'string' && { historyVisibility }),
    members: Object.fromEntries(changed.map(userId => [userId, engineMembership(room, userId)])),
    invites: invites.map(({ stateKey, sender, content }) => ({ userId: stateKey!, sender, content })),
  }
}

function engineMembership(room: Room, userId: string): 'join' | 'invite' | null {
  const membership = room.members.get(userId)?.membership
  return membership === 'join' || membership === 'invite' ? membership : null
}

/** What relates to another event stands with that one. */
export function isKept(event: StoredEvent): boolean {
  const relation = relationOf(event)
  return event.type !== 'm.room.redaction' && relation?.kind !== 'reaction' && relation?.kind !== 'edit'
}

export function redactionsOf(events: readonly ClientEvent[]): Redaction[] {
  return events.flatMap(({ eventId, sender, redacts, content }) =>
    redacts === null
      ? []
      : {
          eventId,
          sender,
          redacts,
          reason: typeof content['reason'] === 'string' ? content['reason'] : null,
        },
  )
}

const stripPacks = 40

/** What was redacted goes from this device too, where it is within reach; a page hides it wherever it is. */
async function strip(timeline: Timeline, redactions: readonly Redaction[]): Promise<void> {
  for (const redaction of redactions) {
    const found = await timeline.find(redaction.redacts, stripPacks)
    if (!found) continue
    timeline.replace(found.pack.number, event =>
      event.eventId === redaction.redacts ? redactedEvent(event, redaction) : event,
    )
  }
}

/** Where a key that comes later has something to open: see reopen.ts. */
function sessionMarks(roomId: string, events: readonly StoredEvent[]): VaultWrite[] {
  const sessions = new Set(events.flatMap(({ unreadable }) => unreadable?.sessionId ?? []))
  return [...sessions].map(sessionId => ({
    collection: 'unread-session',
    id: `${roomId}|${sessionId}`,
    value: {},
  }))
}

function tsOf(timeline: Timeline, eventId: string): number | null {
  return timeline.loadedEvent(eventId)?.ts ?? null
}

// ── what deserves attention ────────────────────────────────────────────────────────────────────────

interface Judged {
  readonly event: StoredEvent
  readonly verdict: PushVerdict
}

function judged(store: RoomStore, room: Room, events: readonly StoredEvent[]): Judged[] {
  const rules = store.accountData('m.push_rules')
  if (!rules) return []
  const view = {
    ourUserId: store.ourUserId,
    ourName: room.members.get(store.ourUserId)?.name ?? null,
    joinedCount: room.joinedCount,
    power: (userId: string) => powerOf(room, userId),
    roomNotificationPower: powerToNotifyRoom(stateContent(room, 'm.room.power_levels')),
  }
  return events.map(event => ({
    event,
    verdict: judge(rules, { ...event, roomId: room.roomId }, view),
  }))
}

/** The server counts; only mentions in what it cannot read are ours to count, until we have read up to them. */
function withMentions(before: Room | null, room: Room, verdicts: readonly Judged[], ourUserId: string): Room {
  const wasRead =
    room.unread === 0 || before?.receipts.get(ourUserId)?.eventId !== room.receipts.get(ourUserId)?.eventId
  const found = verdicts.filter(({ event, verdict }) => event.encrypted && verdict.highlight).length
  return { ...room, mentions: room.unread === 0 ? 0 : (wasRead ? 0 : room.mentions) + found }
}

function notification(room: Room, entry: RoomEntry, { event, verdict }: Judged): SyncNotice {
  return {
    kind: 'notify',
    roomId: room.roomId,
    eventId: event.eventId,
    title: entry.name ?? '',
    body: [memberName(room, event.sender), plainText(event)].filter(text => text !== '').join(': '),
    sound: verdict.sound,
    highlight: verdict.highlight,
  }
}

// ── the line under a room's name ───────────────────────────────────────────────────────────────────

export function countsAsNews({ type, stateKey }: StoredEvent): boolean {
  return (
    stateKey === null && (type === 'm.room.message' || type === 'm.sticker' || type === 'm.room.encrypted')
  )
}

export async function previewOf(
  store: RoomStore,
  room: Room,
  timeline: Timeline,
  relations: RelationBatch,
  touched: ReadonlySet<string>,
  newest: StoredEvent | null,
): Promise<Preview | null> {
  const shown = store.entry(room.roomId)?.preview ?? null
  const event =
    newest ?? (shown && touched.has(shown.eventId) ? ((await timeline.find(shown.eventId, 4)) ?? null) : null)
  if (!event) return shown
  const original = 'pack' in event ? event.pack.events[event.index]! : event
  if (relations.of(original.eventId).redaction || original.redactedBecause) return null
  const edit = validEdit(room.roomId, original, relations.of(original.eventId))
  const content = edit?.content ?? original.content
  return {
    eventId: original.eventId,
    sender: original.sender,
    senderName: memberName(room, original.sender),
    type: original.type,
    msgtype: typeof content['msgtype'] === 'string' ? content['msgtype'] : null,
    text: plainText({ type: original.type, content }).slice(0, 200),
  }
}

function joinTs(room: Room, ourUserId: string): number {
  return room.members.get(ourUserId)?.ts ?? 0
}

// ── search, verification ───────────────────────────────────────────────────────────────────────────

export function indexed(roomId: string, event: StoredEvent): Indexed[] {
  if (relationOf(event)?.kind === 'edit') return []
  const text = plainText(event)
  return text === '' ? [] : [{ roomId, eventId: event.eventId, timestamp: event.ts, text }]
}

/** Under the original's id: whoever searches finds what stands there now. Only edits by its sender count, as everywhere. */
function indexedEdit(roomId: string, event: StoredEvent, timeline: Timeline): Indexed[] {
  const relation = relationOf(event)
  if (relation?.kind !== 'edit' || timeline.loadedEvent(relation.to)?.sender !== event.sender) return []
  const text = plainText({ type: event.type, content: relation.content })
  return text === '' ? [] : [{ roomId, eventId: relation.to, timestamp: event.ts, text }]
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
