/** Sign out. Also for locked accounts. Spec: POST /logout, POST /logout/all, client-server-api#account-locking */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessTokenEvenLocked } from '../http/authenticate.ts'
import type { Route } from '../http/route.ts'

export function logoutRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  const authenticate = requireAccessTokenEvenLocked(accounts)
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/logout',
      steps: [
        authenticate,
        async ctx => {
          await accounts.sessions.logout(ctx.state.requester)
          ctx.body = {}
        },
      ],
    },
    {
      method: 'POST',
      path: '/_matrix/client/v3/logout/all',
      steps: [
        authenticate,
        async ctx => {
          await accounts.sessions.logoutAll(ctx.state.requester.userId)
          ctx.body = {}
        },
      ],
    },
  ]
}
