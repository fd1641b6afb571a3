/** The rows that are an event itself, whatever its place in a room is. */

import type { JsonObject } from '../protocol/json.ts'
import { eventContents, eventPositions, eventSkeletons } from '../store/catalogue.ts'
import type { RowWriter } from '../store/store.ts'
import { contentRowText, type StoredEvent, skeletonText } from './stored-event.ts'

export interface EventTexts {
  readonly essential: string
  readonly contentText: string
  readonly extras?: JsonObject | undefined
}

/** The event learns how long its rows are. `content`: the text of the content row, where it is not simply the event's content. */
export function writeEventRows(
  rows: RowWriter,
  event: StoredEvent,
  { essential, contentText, extras }: EventTexts,
  content = contentRowText(contentText, extras),
): void {
  const { position, eventId } = event
  const skeleton = skeletonText(event, essential)
  event.textLength = skeleton.length + content.length
  rows.put(eventPositions.key(eventId), position)
  rows.put(eventSkeletons.key(position), skeleton)
  rows.put(eventContents.key(position), content)
}
