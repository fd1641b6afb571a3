/** Whose token is this? Spec: GET /account/whoami */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import type { Route } from '../http/route.ts'

export function whoamiRoutes({ accounts }: { readonly accounts: TokenReader }): Route[] {
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/account/whoami',
      steps: [
        requireAccessToken(accounts),
        ctx => {
          const { userId, deviceId } = ctx.state.requester
          ctx.body = { user_id: userId, device_id: deviceId, is_guest: false }
        },
      ],
    },
  ]
}
