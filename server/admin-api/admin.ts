/** The administration API: people, links, tokens, audit, reports, peers. For the administration view, the console, and automation. */
import type { Accounts } from '../accounts/accounts.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import type { Reports } from '../rooms/reports.ts'
import type { AdminToken } from './admin-token.ts'
import { requireAdministrator } from './administrator.ts'
import { auditRoutes } from './audit.ts'
import { enrolmentAdminRoutes } from './enrolment.ts'
import { type ConfirmedByPasskey, requireFreshPasskey } from './fresh-passkey.ts'
import type { PeerActs } from './peer-acts.ts'
import { peerRoutes } from './peers.ts'
import { peopleRoutes } from './people.ts'
import { reportRoutes } from './reports.ts'

export interface AdminDeps {
  readonly accounts: Accounts
  readonly reports: Pick<Reports, 'list'>
  readonly peerActs: PeerActs
  /** For the acts that a session alone is not enough for. */
  readonly confirmedByPasskey: ConfirmedByPasskey
  /** null: `admin.token_file` is not set. */
  readonly adminToken: AdminToken | null
}

export function adminRoutes(deps: AdminDeps): Route[] {
  const { accounts, reports, peerActs, confirmedByPasskey, adminToken } = deps
  const freshPasskey = requireFreshPasskey(confirmedByPasskey)
  const administrator = [requireAdministrator(accounts, adminToken), limit('admin')]
  return [
    ...peopleRoutes(accounts, administrator, freshPasskey),
    ...enrolmentAdminRoutes(accounts, administrator, confirmedByPasskey),
    ...auditRoutes(accounts, administrator),
    ...reportRoutes(reports, administrator),
    ...peerRoutes(peerActs, administrator, freshPasskey),
  ]
}
