/**
 * A peer to whom nothing could be sent for a while (suspended, pinned one way) and now can be: what was made meanwhile was
 * not queued for it. It is sent our newest event of each room that it is in, and a word of the devices of our people there;
 * the gap before them shows, and it asks for it. (What it has that we missed, rooms/catch-up.ts asks for.)
 *
 * What a crash cuts off comes with the next event of each room, and the next change of devices. Messages between devices
 * of that time never come: whoever was shut out then was not given the keys of then.
 */
import type { Peers } from '../peers/peer.ts'
import { type EventId, type RoomId, type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface MissedNewsDeps {
  readonly serverName: ServerName
  readonly peers: Pick<Peers, 'all' | 'maySendTo' | 'onChange'>
  readonly rooms: Pick<Rooms, 'roomIds' | 'view' | 'timeline'>
  /** Puts an event into the peer's queue. */
  readonly queue: (peer: ServerName, roomId: RoomId, eventId: EventId) => Promise<void>
  /** That these people's devices may have changed. */
  readonly tellDevices: (peer: ServerName, userIds: Iterable<UserId>) => Promise<void>
  readonly report: (message: string, fields?: Readonly<Record<string, string>>) => void
}

/** How far back our newest event is looked for. In a room in which others alone spoke, others tell. */
const searched = 100

export function tellMissedNews({
  serverName,
  peers,
  rooms,
  queue,
  tellDevices,
  report,
}: MissedNewsDeps): void {
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
    const ours = new Set<UserId>()
    for (const roomId of await rooms.roomIds()) {
      const view = await rooms.view(roomId)
      if (!view || view.frozen || !view.joinedServers.has(peer)) continue
      const newest = await rooms.timeline(roomId, { reverse: true, limit: searched })
      const event = newest.find(({ sender }) => serverOf(sender) === serverName)
      if (event) await queue(peer, roomId, event.eventId)
      for (const { stateKey } of view.members('join'))
        if (serverOf(stateKey) === serverName) ours.add(stateKey)
    }
    await tellDevices(peer, ours)
  }
}
