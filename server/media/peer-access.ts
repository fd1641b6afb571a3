/**
 * May a peer have a file of ours? Media ids are secrets that travel in rooms: a server has a use for one only if it is in
 * a room with the person who uploaded it, or invited to one. So what a room keeps out, by residency or by its server ACL,
 * does not get what its people upload there by asking for the media id.
 *
 * Deviation: server-server-api#content-repository hands any media to any server that knows its id.
 */
import { type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface PeerAccess {
  mayHave(server: ServerName, uploader: UserId): Promise<boolean>
}

/** A no is remembered for so long: to find it out may have meant to look at every room of a busy person. */
const refusalKeptMs = 2_000
const maxRefusals = 10_000

export function openPeerAccess(rooms: Pick<Rooms, 'view' | 'memberships'>, clock: () => number): PeerAccess {
  const refusals = new Map<string, number>()
  return {
    async mayHave(server, uploader) {
      const key = `${server} ${uploader}`
      if ((refusals.get(key) ?? 0) > clock()) return false
      refusals.delete(key)
      if (await sharesRoom(server, uploader)) return true
      refusals.set(key, clock() + refusalKeptMs)
      if (refusals.size > maxRefusals) refusals.delete(refusals.keys().next().value!)
      return false
    },
  }

  /** Rooms that the uploader has left count: what was said there stays with those who are in them. */
  async function sharesRoom(server: ServerName, uploader: UserId): Promise<boolean> {
    for (const { roomId, everJoined } of (await rooms.memberships(uploader)).values()) {
      const view = everJoined ? await rooms.view(roomId) : null
      if (!view || view.frozen) continue
      if (view.joinedServers.has(server)) return true
      for (const { stateKey } of view.members('invite')) if (serverOf(stateKey) === server) return true
    }
    return false
  }
}
