/** Proof towards another service who somebody is. Spec: POST /user/{userId}/openid/request_token */
import type { Accounts } from '../accounts/accounts.ts'
import { openIdLifetimeMs } from '../accounts/open-id.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseOptionalBody } from '../http/body.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { needOwnUser } from './account-data.ts'

export function openIdRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/user/:userId/openid/request_token',
      steps: [
        requireAccessToken(accounts),
        limit('login'),
        needOwnUser,
        parseOptionalBody,
        ctx => {
          ctx.body = {
            access_token: accounts.openId.issue(ctx.state.requester.userId),
            token_type: 'Bearer',
            matrix_server_name: accounts.serverName,
            expires_in: openIdLifetimeMs / 1000,
          }
        },
      ],
    },
  ]
}
