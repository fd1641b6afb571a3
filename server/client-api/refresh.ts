/**
 * New tokens for old. Spec: POST /refresh
 *
 * Ours: `org.letro.user_id` and `org.letro.device_id` say whose token it is. Where it is refused, `soft_logout` then says whether
 * that device is still there, which its access token, run out long ago, could not.
 */
import type { Accounts } from '../accounts/accounts.ts'
import { parseBody } from '../http/body.ts'
import { mayString, needString } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { parseDeviceId, parseUserId } from '../protocol/ids.ts'
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
          const { body } = ctx.state
          const refreshToken = needString(body, 'refresh_token', 1024)
          const userId = parseUserId(mayString(body, 'org.letro.user_id', 255) ?? '')
          const deviceId = parseDeviceId(mayString(body, 'org.letro.device_id', 255) ?? '')
          const device = userId && deviceId ? { userId, deviceId } : undefined
          ctx.body = tokensAnswer(await accounts.sessions.refresh(refreshToken, device))
        },
      ],
    },
  ]
}
