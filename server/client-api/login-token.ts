/**
 * A signed-in person lets another device of theirs in.
 *
 * Spec: client-server-api#post_matrixclientv1loginget_token. Who asks is always asked to confirm; the answer is a token
 * for one login of type `m.login.token` within two minutes. What else it allows: accounts/login-tokens.ts.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseOptionalBody } from '../http/body.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { type InteractiveAuth, requireInteractiveAuth } from './interactive-auth.ts'

export interface LoginTokenDeps {
  readonly accounts: Accounts
  readonly interactiveAuth: InteractiveAuth
}

export function loginTokenRoutes({ accounts, interactiveAuth }: LoginTokenDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v1/login/get_token',
      steps: [
        requireAccessToken(accounts),
        limit('login'),
        parseOptionalBody,
        requireInteractiveAuth(interactiveAuth),
        ctx => {
          const { token, expiresInMs } = accounts.loginTokens.issue(ctx.state.requester)
          ctx.body = { login_token: token, expires_in_ms: expiresInMs }
        },
      ],
    },
  ]
}
