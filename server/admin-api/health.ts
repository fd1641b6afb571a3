/** Health for administrators: what was found and what was read now, and what came and went before. */
import type { Health } from '../health/health.ts'
import { queryInteger } from '../http/fields.ts'
import type { Route, Step } from '../http/route.ts'

export function healthRoutes(
  health: Pick<Health, 'report' | 'log'>,
  administrator: readonly Step[],
): Route[] {
  const path = '/_letro/admin/v1/health'
  return [
    { method: 'GET', path, steps: [...administrator, report(health)] },
    { method: 'GET', path: `${path}/log`, steps: [...administrator, log(health)] },
  ]
}

function report(health: Pick<Health, 'report'>): Step {
  return async ctx => {
    const { ts, state, findings, readings } = await health.report()
    ctx.body = {
      ts,
      state,
      findings: findings.map(({ sinceTs, ...finding }) => ({ ...finding, since_ts: sinceTs })),
      readings,
    }
  }
}

function log(health: Pick<Health, 'log'>): Step {
  return async ctx => {
    const wanted = queryInteger(ctx.query, 'limit', 1, 1_000) ?? 100
    const entries = await health.log({ after: queryInteger(ctx.query, 'from') ?? 0, limit: wanted })
    ctx.body = { entries, ...(entries.length === wanted ? { next_batch: entries.at(-1)!.number } : {}) }
  }
}
