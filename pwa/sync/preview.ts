/** The line under a room's name: the newest message, as it reads now. */
import { memberName } from './names.ts'
import { plainText } from './reading.ts'
import { type RelationBatch, validEdit } from './relations.ts'
import type { Room } from './room.ts'
import type { Preview } from './room-entry.ts'
import type { RoomStore } from './room-store.ts'
import type { StoredEvent } from './stored-event.ts'
import type { Timeline } from './timeline.ts'

/** Behind so many packs of other things nobody looks for the newest message. */
const packs = 3
const maxText = 200

/** As a preview calls it: a message of its own kind for people, a sound with a mark for Matrix. */
export const voiceType = 'org.matrix.msc3245.voice'

export function countsAsNews({ type, stateKey }: StoredEvent): boolean {
  return (
    stateKey === null && (type === 'm.room.message' || type === 'm.sticker' || type === 'm.room.encrypted')
  )
}

export async function newestPreview(
  store: RoomStore,
  room: Room,
  timeline: Timeline,
  relations: RelationBatch,
): Promise<Preview | null> {
  for (const number of timeline.packNumbers.slice(-packs).toReversed()) {
    const { events } = await timeline.pack(number)
    const candidates = events.filter(event => countsAsNews(event) && !store.isIgnored(event.sender))
    await relations.load(candidates.map(({ eventId }) => eventId))
    const newest = candidates.findLast(
      ({ eventId, redactedBecause }) => !redactedBecause && !relations.of(eventId).redaction,
    )
    if (newest) return previewOf(room, newest, relations)
  }
  return null
}

function previewOf(room: Room, event: StoredEvent, relations: RelationBatch): Preview {
  const content = validEdit(room.roomId, event, relations.of(event.eventId))?.content ?? event.content
  return {
    eventId: event.eventId,
    sender: event.sender,
    senderName: memberName(room, event.sender),
    type: event.type,
    msgtype: isVoice(content)
      ? voiceType
      : typeof content['msgtype'] === 'string'
        ? content['msgtype']
        : null,
    text: plainText({ type: event.type, content }).slice(0, maxText),
  }
}

function isVoice(content: StoredEvent['content']): boolean {
  return content['msgtype'] === 'm.audio' && content[voiceType] !== undefined
}
