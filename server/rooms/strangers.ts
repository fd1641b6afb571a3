/**
 * Servers in a room that nobody here has pinned. A room that has one is frozen: what goes into it would reach them.
 *
 * Spec: none; DESIGN, *Pins*.
 */
import type { Peers } from '../peers/peer.ts'
import { type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { Frozen } from './inbound-rooms.ts'
import type { RoomEvent } from './rooms.ts'

type Knows = Pick<Peers, 'isKnown'> | null

/** Who is in a room or may walk in, without asking. */
function isIn(event: Pick<RoomEvent, 'content'>): boolean {
  const { membership } = event.content
  return membership === 'join' || membership === 'invite'
}

/** The stranger that this member event brings in, or null. */
export function strangerIn(
  peers: Knows,
  event: Pick<RoomEvent, 'type' | 'stateKey' | 'content'>,
): ServerName | null {
  if (!peers || event.type !== 'm.room.member' || event.stateKey === undefined || !isIn(event)) return null
  const server = serverOf(event.stateKey as UserId)
  return peers.isKnown(server) ? null : server
}

/** Why a room with these members stands still; null: nobody in it is a stranger. */
export function strangerAmong(peers: Knows, members: Iterable<RoomEvent>, now: number): Frozen | null {
  if (!peers) return null
  for (const event of members) {
    const server = strangerIn(peers, event)
    if (server) return { server, by: letInBy(event), eventId: event.eventId, sinceTs: now }
  }
  return null
}

/** Somebody who joined may have been invited: the one who invited let them in. */
function letInBy({ sender, replacesState }: RoomEvent): UserId {
  return replacesState?.content['membership'] === 'invite' ? replacesState.sender : sender
}
