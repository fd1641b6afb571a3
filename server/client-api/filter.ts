/** Stored filters. Spec: client-server-api#post_matrixclientv3useruseridfilter. */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { userId } from '../http/fields.ts'
import { forbidden, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { StoredFilters } from '../sync/stored-filters.ts'

export interface FilterRouteDeps {
  readonly accounts: TokenReader
  readonly filters: StoredFilters
}

export function filterRoutes({ accounts, filters }: FilterRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/user/:userId/filter',
      steps: [requireAccessToken(accounts), limit('account'), parseBody, addFilter(filters)],
    },
    {
      method: 'GET',
      path: '/_matrix/client/v3/user/:userId/filter/:filterId',
      steps: [requireAccessToken(accounts), limit('read'), getFilter(filters)],
    },
  ]
}

function addFilter(filters: StoredFilters): Step {
  return async function addFilter(ctx) {
    ctx.body = { filter_id: await filters.add(ownUserId(ctx), ctx.state.body) }
  }
}

function getFilter(filters: StoredFilters): Step {
  return async function getFilter(ctx) {
    const filter = await filters.get(ownUserId(ctx), ctx.state.params['filterId']!)
    if (!filter) throw notFound('There is no filter with this filterId.')
    ctx.body = filter
  }
}

function ownUserId(ctx: Context): UserId {
  const owner = userId(ctx.state.params['userId'], 'userId')
  if (owner !== ctx.state.requester.userId) throw forbidden('userId: these are the filters of someone else.')
  return owner
}
