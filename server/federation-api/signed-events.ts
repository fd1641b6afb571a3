/** Events as they leave this server: whole, signed, or in their redacted form for who may not see the content. */
import type { Pdu } from '../protocol/event.ts'
import type { EventId, ServerName } from '../protocol/ids.ts'
import { redact } from '../protocol/redaction.ts'
import { roomVersion } from '../protocol/room-versions.ts'
import type { RoomView } from '../rooms/rooms.ts'
import type { RoomsInternal } from '../rooms/rooms-internal.ts'

/** Events that are read and signed side by side: enough to keep store and threads busy. */
const atOnce = 64

/** In the order of the ids; what is not here is left out. */
export async function signedEvents(
  rooms: Pick<RoomsInternal, 'signed'>,
  ids: readonly EventId[],
): Promise<Pdu[]> {
  const pdus: Pdu[] = []
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = await Promise.all(ids.slice(at, at + atOnce).map(id => rooms.signed(id)))
    for (const pdu of some) if (pdu) pdus.push(pdu)
  }
  return pdus
}

/**
 * History for a server: what none of its people may see goes as its redacted form, which the graph needs and which says
 * nothing. Spec: server-server-api#backfilling-and-retrieving-missing-events, client-server-api#room-history-visibility
 */
export async function historyFor(
  rooms: Pick<RoomsInternal, 'signed' | 'visibleToServer'>,
  origin: ServerName,
  view: RoomView,
  ids: readonly EventId[],
): Promise<Pdu[]> {
  const visible = await rooms.visibleToServer(origin, view.roomId, ids)
  const rules = roomVersion(view.version)!
  const pdus = await Promise.all(ids.map(id => rooms.signed(id)))
  return pdus.flatMap((pdu, i) => (pdu ? [visible[i] ? pdu : redact(pdu, rules)] : []))
}
