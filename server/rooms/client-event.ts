/**
 * A room event as clients get it.
 *
 * Spec: client-server-api#room-event-format, with the room id (`clientEvent`) and without (`/sync`). The
 * part that is the same for every reader is made once an event and kept beside it; what depends on the
 * reader (`unsigned`) is added a request at a time. Never changes the event or its content.
 */
import type { EventId, UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Membership, RoomEvent } from './rooms.ts'

/** Who reads, and when. */
export interface Reader {
  readonly userId: UserId
  /** The device that gets its own transaction ids back; none for requests without one. */
  readonly deviceId?: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What only the caller can know about one event and one reader. */
export interface Shown {
  /** The reader's membership at this event, the event's own effect included. */
  readonly membership?: Membership
  /** Bundled aggregations. Spec: client-server-api#aggregations-of-child-events */
  readonly relations?: JsonObject
  /** This is a copy without what its sender wanted erased: no other form of it may be shown. */
  readonly erased?: boolean
  /** The reader may not see the state event that this one replaced. */
  readonly hidesPrevContent?: boolean
}

type Mutable = { [key: string]: JsonObject[string] }

const nothingMore: Shown = {}

/** Spec: client-server-api#room-event-format (ClientEvent). */
export function clientEvent(event: RoomEvent, reader: Reader, shown: Shown = nothingMore): JsonObject {
  const out = invariantPart(event)
  out['room_id'] = event.roomId
  out['unsigned'] = unsigned(event, reader, shown, true)
  return out
}

/** Spec: client-server-api#get_matrixclientv3sync (ClientEventWithoutRoomID). */
export function clientEventWithoutRoomId(
  event: RoomEvent,
  reader: Reader,
  shown: Shown = nothingMore,
): JsonObject {
  const out = invariantPart(event)
  out['unsigned'] = unsigned(event, reader, shown, false)
  return out
}

/** Events are shared and never change, so the text of what all readers get alike is written once. */
const invariantTexts = new WeakMap<RoomEvent, string>()

/** The JSON text of `clientEventWithoutRoomId`: for fan-out, where many readers get the same event. */
export function clientEventText(event: RoomEvent, reader: Reader, shown: Shown = nothingMore): string {
  let text = invariantTexts.get(event)
  if (text === undefined) {
    text = `${JSON.stringify(invariantPart(event)).slice(0, -1)},"unsigned":`
    invariantTexts.set(event, text)
  }
  return `${text}${JSON.stringify(unsigned(event, reader, shown, false))}}`
}

/** Spec: client-server-api#stripped-state. */
export function strippedStateEvent(event: RoomEvent): JsonObject {
  return { type: event.type, state_key: event.stateKey ?? '', sender: event.sender, content: event.content }
}

function invariantPart(event: RoomEvent): Mutable {
  const out: Mutable = {
    type: event.type,
    event_id: event.eventId,
    sender: event.sender,
    origin_server_ts: event.originServerTs,
    content: event.content,
  }
  if (event.stateKey !== undefined) out['state_key'] = event.stateKey
  if (event.redacts !== undefined) showRedacts(out, event.redacts, event.content)
  return out
}

// Spec: rooms/v11#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property. Wherever the
// room version keeps it, clients find it in both places.
function showRedacts(out: Mutable, redacts: EventId, content: JsonObject): void {
  out['redacts'] = redacts
  if (content['redacts'] === undefined) out['content'] = { ...content, redacts }
}

function unsigned(event: RoomEvent, reader: Reader, shown: Shown, withRoomId: boolean): JsonObject {
  const out: Mutable = { age: reader.now - event.originServerTs }
  const { transaction, replacesState, redactedBecause } = event
  if (shown.membership !== undefined) out['membership'] = shown.membership
  // Spec: client-server-api#sending-transaction-ids: only to the device that sent it.
  if (
    transaction !== undefined &&
    transaction.deviceId === reader.deviceId &&
    transaction.userId === reader.userId
  ) {
    out['transaction_id'] = transaction.txnId
  }
  if (replacesState !== undefined) {
    out['replaces_state'] = replacesState.eventId
    if (shown.hidesPrevContent !== true) {
      out['prev_content'] = replacesState.content
      // Not in the specification, but what clients of today read beside prev_content.
      out['prev_sender'] = replacesState.sender
    }
  }
  if (redactedBecause !== undefined) {
    out['redacted_because'] = withRoomId
      ? clientEvent(redactedBecause, reader)
      : clientEventWithoutRoomId(redactedBecause, reader)
  }
  if (shown.relations !== undefined) out['m.relations'] = shown.relations
  return out
}
