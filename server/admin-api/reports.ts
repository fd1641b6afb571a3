/** What people reported, newest first. Who reported stands with it: for the administrators alone. */
import { queryInteger } from '../http/fields.ts'
import type { Route, Step } from '../http/route.ts'
import type { Reports } from '../rooms/reports.ts'

export function reportRoutes(reports: Pick<Reports, 'list'>, administrator: readonly Step[]): Route[] {
  return [{ method: 'GET', path: '/_letro/admin/v1/reports', steps: [...administrator, list(reports)] }]
}

function list(reports: Pick<Reports, 'list'>): Step {
  return async ctx => {
    const wanted = queryInteger(ctx.query, 'limit', 1, 500) ?? 100
    const before = queryInteger(ctx.query, 'from')
    const found = await reports.list(wanted, before)
    ctx.body = {
      reports: found.map(({ position, report }) => ({
        id: position,
        ts: report.ts,
        kind: report.kind,
        reporter: report.reporter,
        ...(report.roomId === undefined ? {} : { room_id: report.roomId }),
        ...(report.eventId === undefined ? {} : { event_id: report.eventId }),
        ...(report.userId === undefined ? {} : { user_id: report.userId }),
        reason: report.reason,
      })),
      ...(found.length === wanted ? { next_batch: found.at(-1)!.position } : {}),
    }
  }
}
