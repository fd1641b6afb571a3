/**
 * What people reported as inappropriate, for the administrators. Spec: client-server-api#reporting-content
 */
import type { EventId, RoomId, UserId } from '../protocol/ids.ts'
import { contentReports, type ReportRow } from '../store/catalogue.ts'
import type { Position, Store } from '../store/store.ts'

export type Report = { readonly reporter: UserId; readonly reason: string } & (
  | { readonly kind: 'room'; readonly roomId: RoomId }
  | { readonly kind: 'event'; readonly roomId: RoomId; readonly eventId: EventId }
  | { readonly kind: 'user'; readonly userId: UserId }
)

export interface Reports {
  add(report: Report): Promise<void>
  /** Newest first, below a position. */
  list(limit: number, before?: number): Promise<{ readonly position: Position; readonly report: ReportRow }[]>
}

export interface ReportsDeps {
  readonly store: Store
  readonly clock: () => number
}

export function openReports({ store, clock }: ReportsDeps): Reports {
  return {
    async add(report) {
      await store.transact('reports', tx => {
        tx.sequence((next, rows) => rows.put(contentReports.key(next()), { ...report, ts: clock() }))
      })
    },
    async list(limit, before) {
      const below = before === undefined ? {} : { before: contentReports.key(before as Position) }
      const rows = await store.read(view =>
        view.range(contentReports.under(), { reverse: true, limit, ...below }),
      )
      return rows.map(({ parts, value }) => ({ position: parts[0] as Position, report: value }))
    },
  }
}
