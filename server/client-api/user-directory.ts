/** Whom may I write to? Spec: POST /user_directory/search */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayInteger, needString } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'

const maxResults = 50

export function userDirectoryRoutes({ accounts }: { readonly accounts: Accounts }): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/user_directory/search',
      steps: [requireAccessToken(accounts), limit('directory'), parseBody, search(accounts)],
    },
  ]
}

function search(accounts: Accounts): Step {
  return async ctx => {
    const { body, requester } = ctx.state
    const term = needString(body, 'search_term', 255)
    const wanted = Math.min(mayInteger(body, 'limit') ?? 10, maxResults)
    const { results, limited } = await accounts.directory.search(requester, term, wanted)
    ctx.body = {
      limited,
      results: results.map(found => ({
        user_id: found.userId,
        ...(found.displayName === undefined ? {} : { display_name: found.displayName }),
        ...(found.avatarUrl === undefined ? {} : { avatar_url: found.avatarUrl }),
      })),
    }
  }
}
