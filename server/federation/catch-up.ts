/**
 * A peer to whom nothing could be sent for a while (suspended, pinned one way) and now can be: what was made meanwhile was
 * not queued for it. It is sent our newest event of each room that it is in; the gap before it shows, and it asks for it.
 *
 * What a crash cuts off comes with the next event of each room: nothing is lost, it only comes later. Messages between
 * devices of that time never come: whoever was shut out then was not given the keys of then.
 */
import type { Peers } from '../peers/peer.ts'
import { type EventId, type RoomId, type ServerName, serverOf } from '../protocol/ids.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface CatchUpDeps {
  readonly serverName: ServerName
  readonly peers: Pick<Peers, 'all' | 'maySendTo' | 'onChange'>
  readonly rooms: Pick<Rooms, 'roomIds' | 'view' | 'timeline'>
  /** Puts an event into the peer's queue. */
  readonly queue: (peer: ServerName, roomId: RoomId, eventId: EventId) => Promise<void>
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

/** How far back our newest event is looked for. In a room in which others alone spoke, others tell. */
const searched = 100

export function catchUp({ serverName, peers, rooms, queue, report }: CatchUpDeps): void {
  const within = new Set<ServerName>()
  for (const { serverName: peer } of peers.all()) if (peers.maySendTo(peer)) within.add(peer)
  peers.onChange(peer => {
    if (!peers.maySendTo(peer)) within.delete(peer)
    else if (!within.has(peer)) {
      within.add(peer)
      tell(peer).catch(() => report('a peer could not be told what it missed', { peer }))
    }
  })

  async function tell(peer: ServerName): Promise<void> {
    for (const roomId of await rooms.roomIds()) {
      const view = await rooms.view(roomId)
      if (!view || view.frozen || !view.joinedServers.has(peer)) continue
      const newest = await rooms.timeline(roomId, { reverse: true, limit: searched })
      const ours = newest.find(({ sender }) => serverOf(sender) === serverName)
      if (ours) await queue(peer, roomId, ours.eventId)
    }
  }
}
