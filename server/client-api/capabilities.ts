/**
 * What this server lets a person do.
 *
 * Spec: client-server-api#capabilities-negotiation
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'

export interface CapabilitiesDeps {
  readonly accounts: TokenReader
  /** `accounts.passwords`: without it nobody has a password to change. */
  readonly passwords: boolean
  readonly roomVersions: { readonly default: string; readonly stable: readonly string[] }
}

export function capabilitiesRoutes({ accounts, passwords, roomVersions }: CapabilitiesDeps): Route[] {
  const answer = {
    capabilities: {
      'm.room_versions': {
        default: roomVersions.default,
        available: Object.fromEntries(roomVersions.stable.map(version => [version, 'stable'])),
      },
      'm.change_password': { enabled: passwords },
      'm.profile_fields': { enabled: true },
      'm.set_displayname': { enabled: true },
      'm.set_avatar_url': { enabled: true },
      'm.3pid_changes': { enabled: false },
      'm.get_login_token': { enabled: false },
      'm.forget_forced_upon_leave': { enabled: false },
    },
  }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/v3/capabilities',
      steps: [
        requireAccessToken(accounts),
        limit('read'),
        ctx => {
          ctx.body = answer
        },
      ],
    },
  ]
}
