/**
 * Who of this server's people is a guest: an external account, which ends on a date and has a sponsor.
 *
 * `GET /_letro/client/v1/external_people` → `{user_ids}`: those with whom one shares a room, and nobody else, for external
 * people stand in no directory. A client marks them wherever it names them. Their being guests is this server's word about
 * its own accounts, so it stands in no event that others could write.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Rooms } from '../rooms/rooms.ts'

export interface ExternalPeopleDeps {
  readonly accounts: Accounts
  readonly rooms: Pick<Rooms, 'sharesRoomWith'>
}

export function externalPeopleRoutes({ accounts, rooms }: ExternalPeopleDeps): Route[] {
  const list: Step = async function listExternalPeople(ctx) {
    const shared = await rooms.sharesRoomWith(ctx.state.requester.userId)
    ctx.body = { user_ids: [...shared].filter(accounts.people.isExternal).sort() }
  }
  return [
    {
      method: 'GET',
      path: '/_letro/client/v1/external_people',
      steps: [requireAccessToken(accounts), limit('read'), list],
    },
  ]
}
