/**
 * Where the client API of this server name lives.
 *
 * Spec: client-server-api#getwell-knownmatrixclient. Answered here for the case that the server's name and
 * its origin are one host; else the organisation's web server answers the same.
 */
import type { Route } from '../http/route.ts'

export function wellKnownRoutes({ origin }: { readonly origin: string }): Route[] {
  const answer = { 'm.homeserver': { base_url: origin } }
  return [
    {
      method: 'GET',
      path: '/.well-known/matrix/client',
      steps: [
        ctx => {
          ctx.body = answer
        },
      ],
    },
  ]
}
