/** Spec: client-server-api#room-upgrades (room_upgrades.yaml) */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayStrings, needString, userId } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { MovedRooms } from '../push/moved-room.ts'
import { type UpgradeDeps, upgradeRoom } from '../rooms/upgrade.ts'
import { pathRoomId } from './room-request.ts'

export interface UpgradeRoutesDeps extends UpgradeDeps {
  readonly authenticate: Step
  readonly movedRooms: MovedRooms
}

export function upgradeRoutes(deps: UpgradeRoutesDeps): Route[] {
  const upgrade: Step = async function upgrade(ctx) {
    const { requester, body } = ctx.state
    const creators = mayStrings(body, 'additional_creators') ?? []
    const replacement = await upgradeRoom(deps, requester, pathRoomId(ctx), {
      newVersion: needString(body, 'new_version'),
      additionalCreators: creators.map((text, index) => userId(text, `additional_creators[${index}]`)),
    })
    await deps.movedRooms.follow(requester.userId, replacement)
    ctx.body = { replacement_room: replacement }
  }
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/rooms/:roomId/upgrade',
      steps: [deps.authenticate, limit('room'), refuseSuspended, parseBody, upgrade],
    },
  ]
}
