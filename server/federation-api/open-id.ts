/**
 * Who showed this token? For a service of ours or a peer's to which somebody proves who they are.
 *
 * Deviation: server-server-api#openid has no authentication here, and hands an answer to anybody. The token is the
 * proof, for an hour; whoever asks too often with tokens that are none is slowed like any guesser.
 */
import type { OpenId } from '../accounts/open-id.ts'
import { queryText } from '../http/fields.ts'
import { MatrixError } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'

export function openIdRoutes({ openId }: { readonly openId: Pick<OpenId, 'owner'> }): Route[] {
  const userInfo: Step = ctx => {
    const token = queryText(ctx.query, 'access_token')
    if (token === undefined) throw new MatrixError(401, 'M_MISSING_TOKEN', 'access_token is missing.')
    const owner = openId.owner(token)
    if (owner === null) {
      ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
      throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'The token is none of ours, or its hour is over.')
    }
    ctx.body = { sub: owner }
  }
  return [{ method: 'GET', path: '/_matrix/federation/v1/openid/userinfo', steps: [userInfo] }]
}
