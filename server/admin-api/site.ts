/** What an administrator hands out with an invitation: the address, and how a device learns to trust it. */
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'

export interface SiteFacts {
  readonly serverName: string
  readonly origin: string
  /** Where the trust page is opened by name; null: there is none. */
  readonly trustPage: string | null
  /** null: devices know the certificate's authority already, or it is not ours. */
  readonly authority: () => { readonly fingerprint: string; readonly words: readonly string[] } | null
}

export function siteRoutes(site: SiteFacts, administrator: readonly Step[]): Route[] {
  const show: Step = ctx => {
    const authority = site.authority()
    const answer: JsonObject = {
      server_name: site.serverName,
      origin: site.origin,
      trust_page: site.trustPage,
      authority: authority && { fingerprint_sha256: authority.fingerprint, words: authority.words },
    }
    ctx.body = answer
  }
  return [{ method: 'GET', path: '/_letro/admin/v1/site', steps: [...administrator, show] }]
}
