/** Is this registration token still good? Spec: GET /register/m.login.registration_token/validity */
import type { Accounts } from '../accounts/accounts.ts'
import { queryText } from '../http/fields.ts'
import { missingParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { refuseWithoutRegistration } from './register.ts'

export function registrationTokenRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v1/register/m.login.registration_token/validity',
      steps: [
        limit('register'),
        async ctx => {
          refuseWithoutRegistration(accounts)
          const token = queryText(ctx.query, 'token')
          if (token === undefined) throw missingParam('token')
          ctx.body = { valid: await accounts.registrationTokens.valid(token) }
        },
      ],
    },
  ]
}
