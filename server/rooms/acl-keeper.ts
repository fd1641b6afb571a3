/**
 * The server ACL of rooms that are made here: whom our administrator has pinned when the room is made, and who comes and
 * goes among them later.
 *
 * It is written for rooms whose creator is one of ours, by them or whoever else of ours has the power; a list that
 * people widened to `*` is theirs. A peer that is suspended stays listed: the others in the room need not follow. What a
 * crash or a failing store cuts off is done at the next start, or once the store works again (pin-follower.ts).
 *
 * Spec: server-server-api#server-access-control-lists-acls
 */
import type { Peers } from '../peers/peer.ts'
import { type ServerName, serverOf, type UserId } from '../protocol/ids.ts'
import { isIpLiteral } from '../protocol/ip-literal.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'
import { followPins, type PinFollowerDeps } from './pin-follower.ts'
import { RoomError, type Rooms, type RoomView } from './rooms.ts'
import { hostOf, serverAclType } from './server-acl.ts'

export type PinnedServers = Pick<Peers, 'all' | 'get' | 'mayReceiveFrom' | 'maySendTo'>

export function firstServerAcl(us: ServerName, peers: PinnedServers): JsonObject {
  const allow = new Set([hostOf(us)])
  for (const { serverName } of peers.all()) if (takesPart(peers, serverName)) allow.add(hostOf(serverName))
  return { allow: [...allow], deny: [], allow_ip_literals: [...allow].some(isIpLiteral) }
}

export interface AclKeeperDeps extends Omit<PinFollowerDeps, 'peers'> {
  readonly rooms: Rooms
  readonly peers: PinnedServers & Pick<Peers, 'onChange' | 'isKnown'>
}

export async function keepServerAcls({ rooms, peers, store, report }: AclKeeperDeps): Promise<void> {
  let last: Promise<void> = Promise.resolve()
  await followPins(
    { store, peers, report },
    {
      name: 'server ACLs',
      standing: server => (takesPart(peers, server) ? 'in' : peers.isKnown(server) ? 'known' : null),
      // One server after another: each list is written whole.
      follow: server => {
        const done = last.then(() => update(server))
        last = done.catch(() => {})
        return done
      },
    },
  )

  async function update(server: ServerName): Promise<void> {
    for (const roomId of await rooms.roomIds()) {
      const view = await rooms.view(roomId)
      const content =
        view && serverOf(view.createEvent.sender) === rooms.serverName ? changed(view, server) : null
      const sender = content && writerOf(view!)
      if (!content || !sender) continue
      await rooms.send({ roomId, sender, type: serverAclType, stateKey: '', content }).catch(unlessRefused)
    }
  }

  /** null: it says that already, or is not ours to say. */
  function changed(view: RoomView, server: ServerName): JsonObject | null {
    const content = view.state(serverAclType)?.content
    const allow = content?.['allow']
    if (!content || !Array.isArray(allow) || allow.includes('*')) return null
    const host = hostOf(server)
    if (takesPart(peers, server)) {
      if (allow.includes(host)) return null
      const literals = content['allow_ip_literals'] === true || isIpLiteral(host)
      return { ...content, allow: [...allow, host], allow_ip_literals: literals }
    }
    if (peers.isKnown(server) || !allow.includes(host)) return null
    return { ...content, allow: allow.filter(other => other !== host) }
  }

  function writerOf(view: RoomView): UserId | undefined {
    const users = view.state('m.room.power_levels')?.content['users']
    const named = [...view.creators, ...(isObject(users) ? (Object.keys(users) as UserId[]) : [])]
    return named.find(
      userId => serverOf(userId) === rooms.serverName && view.maySend(userId, serverAclType, true),
    )
  }
}

function takesPart(peers: PinnedServers, server: ServerName): boolean {
  return peers.mayReceiveFrom(server) || peers.maySendTo(server)
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof RoomError)) throw error
}
