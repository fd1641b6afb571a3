/**
 * Residency: a room may name the jurisdictions whose servers may take part (`org.letro.residency`, content
 * `{"allowed": ["DE", "FR"]}`). Our own state event: other homeservers carry it without knowing it, so it binds what
 * this server does, and honest peers of the same make.
 */
import type { Peers } from '../peers/peer.ts'
import type { ServerName } from '../protocol/ids.ts'
import type { RoomView } from './rooms.ts'

export const residencyType = 'org.letro.residency'

/** null: the room names none. A content that we cannot read allows nobody: it was meant to keep somebody out. */
export function allowedResidencies(view: Pick<RoomView, 'state'>): ReadonlySet<string> | null {
  const event = view.state(residencyType)
  // A redacted or emptied event is a rule taken back.
  if (!event || event.content['allowed'] === undefined) return null
  const { allowed } = event.content
  return new Set(Array.isArray(allowed) ? allowed.filter(label => typeof label === 'string') : [])
}

/** Why this server may not take part in the room; null: it may. */
export function residencyRefusal(
  view: Pick<RoomView, 'state'>,
  peers: Pick<Peers, 'residencyOf'> | null,
  server: ServerName,
): string | null {
  const allowed = allowedResidencies(view)
  if (!allowed || !peers) return null
  if (allowed.size === 0) return `This room's rule of jurisdictions allows none, so nobody can come in.`
  const residency = peers.residencyOf(server)
  if (residency === undefined) {
    return `This room is only for servers in ${[...allowed].join(', ')}; where ${server} is, nobody has said.`
  }
  return allowed.has(residency)
    ? null
    : `This room is only for servers in ${[...allowed].join(', ')}; ${server} is in ${residency}.`
}
