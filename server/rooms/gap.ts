/**
 * What lies between what we have of a room and an event that came: asked for from the newest back, until it meets what we
 * have. Only so do all come in their order; what is fetched later stands before everything that was here.
 *
 * Of a gap that is too large it is the newest part. Spec: server-server-api#post_matrixfederationv1get_missing_eventsroomid
 */
import type { Pdu } from '../protocol/event.ts'
import type { EventId } from '../protocol/ids.ts'
import type { Json } from '../protocol/json.ts'
import type { RoomRules } from '../protocol/room-versions.ts'
import { incomingOf, parseReceived } from './incoming-event.ts'
import { RemoteError } from './remote-rooms.ts'
import type { RoomsContext } from './rooms-context.ts'

/** Events in between that are asked for at once; other servers give 20 or fewer. */
export const gapSize = 100
/** A weekend of a lively room: what lies before it is fetched as history, by who reads there. */
const maxQuestions = 50
const maxBytes = 16 * 1024 * 1024
/** Events of the newest part that one question starts from. */
const maxLatest = 20

export interface Between {
  readonly json: Json
  readonly pdu: Pdu
  readonly eventId: EventId
}

/** Oldest first. `ask`: what the other server has before these events. @throws RemoteError: the first question fails. */
export async function eventsBetween(
  context: Pick<RoomsContext, 'store' | 'reader'>,
  rules: RoomRules,
  eventId: EventId,
  ask: (latest: readonly EventId[]) => Promise<readonly Json[]>,
): Promise<readonly Between[]> {
  const found = new Map<EventId, Between>()
  let latest: readonly EventId[] = [eventId]
  let bytes = 0
  for (let question = 0; question < maxQuestions && latest.length > 0; question++) {
    const answer = await ask(latest.slice(0, maxLatest)).catch(error => {
      if (question === 0 || !(error instanceof RemoteError)) throw error
      return []
    })
    const before = found.size
    for (const json of answer.slice(0, gapSize)) {
      const pdu = parseReceived(json, rules)
      if ('refused' in pdu) continue
      const { eventId: id } = incomingOf(pdu, rules)
      if (id === eventId || found.has(id)) continue
      found.set(id, { json, pdu, eventId: id })
      bytes += JSON.stringify(json).length
    }
    if (found.size === before || bytes > maxBytes) break
    latest = await lackingPrevious(context, found)
  }
  return [...found.values()].sort((a, b) => a.pdu.depth - b.pdu.depth)
}

/** Those of the events that stand on something which is neither among them nor here. */
async function lackingPrevious(
  { store, reader }: Pick<RoomsContext, 'store' | 'reader'>,
  found: ReadonlyMap<EventId, Between>,
): Promise<readonly EventId[]> {
  const outside = [...found.values()].flatMap(({ pdu }) => pdu.prev_events.filter(id => !found.has(id)))
  const events = await store.read(view => reader.byIds(view, outside))
  const lacking = new Set(outside.filter((_, i) => !events[i] || events[i].facts.flags.outlier))
  const ends = [...found.values()].filter(({ pdu }) => pdu.prev_events.some(id => lacking.has(id)))
  return ends.map(({ eventId }) => eventId)
}
