/**
 * What this server lets a person do.
 *
 * Spec: client-server-api#capabilities-negotiation
 */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import { accountCapabilities } from './admin.ts'

export interface CapabilitiesDeps {
  readonly accounts: Accounts
  readonly roomVersions: { readonly default: string; readonly stable: readonly string[] }
}

export function capabilitiesRoutes({ accounts, roomVersions }: CapabilitiesDeps): Route[] {
  const ofRooms = {
    'm.room_versions': {
      default: roomVersions.default,
      available: Object.fromEntries(roomVersions.stable.map(version => [version, 'stable'])),
    },
    'm.forget_forced_upon_leave': { enabled: false },
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/capabilities',
      steps: [
        requireAccessToken(accounts),
        limit('read'),
        ctx => {
          ctx.body = { capabilities: { ...ofRooms, ...accountCapabilities(accounts, ctx.state.requester) } }
        },
      ],
    },
  ]
}
