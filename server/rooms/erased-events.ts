/**
 * What somebody wrote who wanted it erased, as others may still see it: whoever was in the room when it was sent sees it as
 * it was, everybody else a redacted copy. The event itself stays; no redaction is sent.
 *
 * Events without state key and the person's own member events are shown so: other state is the room's, not the person's.
 * Spec: client-server-api#post_matrixclientv3accountdeactivate (erase)
 */

import type { UserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { redact } from '../protocol/redaction.ts'
import { type RoomRules, roomVersion } from '../protocol/room-versions.ts'
import type { People } from './people.ts'
import type { RoomEvent, RoomView } from './rooms.ts'

/**
 * Events of one room as they go to a client, bundled ones included. An event whose `unsigned.membership` is `join` was
 * sent while the reader was there.
 */
export async function hideErased(
  people: Pick<People, 'erasedAmong'>,
  view: Pick<RoomView, 'version'>,
  shown: readonly JsonObject[],
): Promise<JsonObject[]> {
  const strangers = new Set<UserId>()
  for (const event of shown) collectSenders(event, strangers)
  if (strangers.size === 0) return [...shown]
  const erased = await people.erasedAmong([...strangers])
  if (erased.size === 0) return [...shown]
  const rules = roomVersion(view.version)!
  return shown.map(event => withoutErased(event, erased, rules))
}

/** As above for the aggregations of an event that may itself be seen. */
export async function withoutErasedChildren(
  people: Pick<People, 'erasedAmong'>,
  view: Pick<RoomView, 'version'>,
  relations: JsonObject,
): Promise<JsonObject> {
  const carrier = { unsigned: { membership: 'join', 'm.relations': relations } }
  const [shown] = await hideErased(people, view, [carrier])
  return (shown!['unsigned'] as JsonObject)['m.relations'] as JsonObject
}

/** The event with what redaction leaves, for whoever writes events themselves (sync). */
export function erasedCopy(event: RoomEvent, version: string): RoomEvent {
  const { type, content } = event
  const kept = redact<JsonObject>({ type, content }, roomVersion(version)!)['content'] as JsonObject
  const { replacesState: _replaced, ...rest } = plain(event)
  return { ...rest, content: kept }
}

export function mayBeErased(event: Pick<RoomEvent, 'type' | 'sender' | 'stateKey'>): boolean {
  return event.stateKey === undefined || (event.type === 'm.room.member' && event.stateKey === event.sender)
}

function plain(event: RoomEvent): RoomEvent {
  const { position, order, roomId, eventId, type, sender, stateKey, content, originServerTs, depth } = event
  return {
    position,
    order,
    roomId,
    eventId,
    type,
    sender,
    ...(stateKey === undefined ? {} : { stateKey }),
    content,
    originServerTs,
    depth,
  }
}

function collectSenders(event: JsonObject, into: Set<UserId>): void {
  if (!wasThere(event)) into.add(event['sender'] as UserId)
  for (const child of bundledIn(event)) collectSenders(child, into)
}

function wasThere({ unsigned }: JsonObject): boolean {
  return isObject(unsigned) && unsigned['membership'] === 'join'
}

/** An edit, and the latest event of a thread. Spec: client-server-api#aggregations-of-child-events */
function bundledIn({ unsigned }: JsonObject): JsonObject[] {
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined
  if (!isObject(relations)) return []
  const thread = relations['m.thread']
  return [relations['m.replace'], isObject(thread) ? thread['latest_event'] : undefined].filter(isObject)
}

function withoutErased(event: JsonObject, erased: ReadonlySet<UserId>, rules: RoomRules): JsonObject {
  const { unsigned } = event
  const relations = isObject(unsigned) ? unsigned['m.relations'] : undefined
  const { type, sender, state_key: stateKey } = event
  const isErased =
    !wasThere(event) &&
    erased.has(sender as UserId) &&
    (stateKey === undefined || (type === 'm.room.member' && stateKey === sender))
  if (!isErased && !isObject(relations)) return event
  const shown: { [name: string]: JsonObject[string] } = { ...(unsigned as JsonObject | undefined) }
  if (isObject(relations)) {
    const { 'm.replace': edit, 'm.thread': thread, ...rest } = relations
    shown['m.relations'] = {
      ...rest,
      // An edit is by the same person: it would bring back what is hidden.
      ...(isObject(edit) && !isErased ? { 'm.replace': withoutErased(edit, erased, rules) } : {}),
      ...(isObject(thread)
        ? {
            'm.thread': isObject(thread['latest_event'])
              ? { ...thread, latest_event: withoutErased(thread['latest_event'], erased, rules) }
              : thread,
          }
        : {}),
    }
  }
  if (!isErased) return { ...event, unsigned: shown }
  const { prev_content: _content, prev_sender: _sender, ...kept } = shown
  const content = event['content'] as JsonObject
  return {
    ...event,
    content: redact<JsonObject>({ type: type as string, content }, rules)['content'] as JsonObject,
    unsigned: kept,
  }
}
