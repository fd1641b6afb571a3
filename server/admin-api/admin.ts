/** The administration API: people, links, tokens, audit, reports, peers. For the administration view, the console, and automation. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Health } from '../health/health.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route } from '../http/route.ts'
import type { Reports } from '../rooms/reports.ts'
import type { RoomOversight } from '../rooms/room-oversight.ts'
import type { AdminToken } from './admin-token.ts'
import { requireAdministrator, requireConfirmation } from './administrator.ts'
import { auditRoutes } from './audit.ts'
import { type BackupRouteDeps, backupRoutes } from './backups.ts'
import { type CertificateRouteDeps, certificateRoutes } from './certificate.ts'
import { commandLineRoutes } from './command-lines.ts'
import { configurationRoutes, type SettingsActs } from './configuration.ts'
import { enrolmentAdminRoutes } from './enrolment.ts'
import { healthRoutes } from './health.ts'
import type { PeerActs } from './peer-acts.ts'
import { peerRoutes } from './peers.ts'
import { peopleRoutes } from './people.ts'
import { peopleImportRoutes } from './people-import.ts'
import { reportRoutes } from './reports.ts'
import { roomAdminRoutes } from './rooms.ts'
import { type SiteFacts, siteRoutes } from './site.ts'
import { type UpdateRouteDeps, updateRoutes } from './updates.ts'

export interface AdminDeps {
  readonly accounts: Accounts
  readonly reports: Pick<Reports, 'list'>
  readonly peerActs: PeerActs
  readonly oversight: RoomOversight
  readonly settings: SettingsActs
  readonly site: SiteFacts
  readonly health: Pick<Health, 'report' | 'log'>
  /** null: there is nothing to back up (areas alone, in tests). */
  readonly backup: BackupRouteDeps | null
  /** null: as `backup`. */
  readonly update: UpdateRouteDeps | null
  /** null: no certificates either. */
  readonly certificate: CertificateRouteDeps | null
  /** null: `admin.token_file` is not set. */
  readonly adminToken: AdminToken | null
  /** Asks a person to confirm with their passkey; false while the question is the answer. */
  readonly confirmed: (ctx: Context) => Promise<boolean>
}

export function adminRoutes(deps: AdminDeps): Route[] {
  const { accounts, reports, peerActs, oversight, health, backup, certificate, adminToken, confirmed } = deps
  const administrator = [requireAdministrator(accounts, adminToken), limit('admin')]
  const confirmation = requireConfirmation(confirmed)
  return [
    ...peopleRoutes(accounts, administrator, confirmation),
    ...peopleImportRoutes(accounts, administrator, confirmation),
    ...enrolmentAdminRoutes(accounts, administrator, confirmation),
    ...auditRoutes(accounts, administrator),
    ...reportRoutes(reports, administrator),
    ...configurationRoutes(deps.settings, administrator, confirmation),
    ...siteRoutes(deps.site, administrator),
    ...roomAdminRoutes({ oversight, orphaned: accounts.orphanedRooms }, administrator, confirmation),
    ...peerRoutes(peerActs, administrator, confirmation),
    ...commandLineRoutes(accounts, administrator, confirmation),
    ...healthRoutes(health, administrator),
    ...(deps.update ? updateRoutes(deps.update, administrator, confirmation) : []),
    ...(backup ? backupRoutes(backup, administrator, confirmation) : []),
    ...(certificate ? certificateRoutes(certificate, administrator, confirmation) : []),
  ]
}
