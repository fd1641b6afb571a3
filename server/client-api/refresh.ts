/** New tokens for old. Spec: POST /refresh */
import type { Accounts } from '../accounts/accounts.ts'
import { parseBody } from '../http/body.ts'
import { needString } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { tokensAnswer } from './session-answer.ts'

export function refreshRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/refresh',
      steps: [
        limit('login'),
        parseBody,
        async ctx => {
          const refreshToken = needString(ctx.state.body, 'refresh_token', 1024)
          ctx.body = tokensAnswer(await accounts.sessions.refresh(refreshToken))
        },
      ],
    },
  ]
}
