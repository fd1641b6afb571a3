/**
 * How it stands with the organisations with whose people one shares a room.
 *
 * `GET /_letro/client/v1/organisations` → `{organisations: {"ministry.example": {state, since?}}}`, where `state` is
 * `suspended` (an administrator of ours holds the exchange up), `closed` (we send nothing there: not pinned any more, or
 * only for checking), or `away` (the last attempt to reach it failed; `since`: when the oldest thing that waits was
 * queued). One with which all is well is not named, nor is one with whose people this person shares no room.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { OutboundStatus } from '../peers/outbound.ts'
import type { Peers } from '../peers/peer.ts'
import { type ServerName, serverOf } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface OrganisationsDeps {
  readonly accounts: Accounts
  readonly rooms: Pick<Rooms, 'sharesRoomWith' | 'serverName'>
  readonly peers: Pick<Peers, 'get' | 'maySendTo'>
  readonly outbound: (server: ServerName) => Promise<OutboundStatus>
}

export function organisationsRoutes({ accounts, rooms, peers, outbound }: OrganisationsDeps): Route[] {
  const standingOf = async (server: ServerName): Promise<JsonObject | null> => {
    if (peers.get(server)?.suspended) return { state: 'suspended' }
    if (!peers.maySendTo(server)) return { state: 'closed' }
    const { lastError, oldestTs } = await outbound(server)
    if (lastError === undefined) return null
    return { state: 'away', ...(oldestTs !== undefined && { since: oldestTs }) }
  }
  const list: Step = async function listOrganisations(ctx) {
    const shared = await rooms.sharesRoomWith(ctx.state.requester.userId)
    const servers = new Set([...shared].map(serverOf))
    servers.delete(rooms.serverName)
    const standings = await Promise.all(
      [...servers].sort().map(async server => [server, await standingOf(server)] as const),
    )
    ctx.body = { organisations: Object.fromEntries(standings.filter(([, standing]) => standing !== null)) }
  }
  return [
    {
      method: 'GET',
      path: '/_letro/client/v1/organisations',
      steps: [requireAccessToken(accounts), limit('read'), list],
    },
  ]
}
