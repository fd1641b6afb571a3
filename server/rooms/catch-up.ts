/**
 * Catching up with a peer, once it may be talked to (again): in each room that both are in, what is the newest that it has?
 *
 * While a pin is suspended both sides go on. And a server that came back from a backup has lost what it had itself sent
 * and been sent since: its own events come back from those who were there, signed by its own key, before somebody here
 * builds on a past that everybody else has left. What was built in between is a branch like any other: the newest event
 * joins both.
 *
 * The event that the peer names is taken as if the peer had sent it: what lies between is fetched within the bounds that
 * hold for each transaction, the rest when somebody looks at it (backfill). A peer that does not answer is asked again at the next
 * start, and whatever it sends first leads to the same.
 *
 * Spec: server-server-api#get_matrixfederationv1timestamp_to_eventroomid
 */
import type { Peers } from '../peers/peer.ts'
import { type EventId, type RoomId, type ServerName, serverOf } from '../protocol/ids.ts'
import type { InboundRooms } from './inbound-rooms.ts'
import { followPins, type PinFollowerDeps } from './pin-follower.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import type { Rooms } from './rooms.ts'
import type { RoomsInternal } from './rooms-internal.ts'

export interface CatchUpDeps extends Omit<PinFollowerDeps, 'peers'> {
  readonly rooms: Pick<Rooms, 'serverName' | 'roomIds' | 'view'> &
    Pick<RoomsInternal, 'stored'> &
    Pick<InboundRooms, 'takeTransaction'>
  readonly remote: Pick<RemoteRooms, 'timestampToEvent' | 'event'>
  readonly peers: Pick<Peers, 'all' | 'onChange' | 'maySendTo' | 'mayReceiveFrom' | 'isKnown'>
  readonly clock: () => number
}

/** Its clock may be ahead of ours. */
const aheadMs = 24 * 60 * 60 * 1000
/** Events of ours that are looked past in one room: what people write while a peer waits to be resumed. */
const maxSteps = 200

export function catchUpWithPeers({ rooms, remote, peers, store, report, clock }: CatchUpDeps): Promise<void> {
  return followPins(
    { store, peers, report },
    {
      name: 'catching up',
      // After a repair or a restore each peer knows more than we do: another epoch is another standing.
      standing: server => {
        if (peers.maySendTo(server) && peers.mayReceiveFrom(server)) return `open ${store.epoch}`
        return peers.isKnown(server) ? 'closed' : null
      },
      follow: async server => {
        if (peers.maySendTo(server) && peers.mayReceiveFrom(server)) await catchUp(server)
      },
    },
  )

  async function catchUp(server: ServerName): Promise<void> {
    for (const roomId of await rooms.roomIds()) {
      const view = await rooms.view(roomId)
      if (!view || view.frozen || !view.joinedServers.has(server)) continue
      if (!view.joinedServers.has(rooms.serverName)) continue
      try {
        const missed = await newestMissed(server, roomId)
        if (missed) await rooms.takeTransaction(server, [await remote.event(server, missed)])
      } catch (error) {
        // Of this room it has nothing to say; others it may know.
        if (!(error instanceof RemoteError) || error.kind !== 'refused') throw error
      }
    }
  }

  /**
   * The newest event there that is not here. Ours of now may have arrived there first, as the newest of all: what lies
   * before it is looked at then. An event of somebody else that is here brought with it all before it.
   */
  async function newestMissed(server: ServerName, roomId: RoomId): Promise<EventId | null> {
    let before = clock() + aheadMs
    for (let step = 0; step < maxSteps; step++) {
      const { eventId, originServerTs } = await remote.timestampToEvent(server, roomId, before, 'b')
      const [known] = await rooms.stored([eventId])
      if (!known || known.outlier) return eventId
      if (serverOf(known.pdu.sender) !== rooms.serverName) return null
      before = Math.min(before, originServerTs) - 1
    }
    return null
  }
}
