/**
 * What answers whatever state the data is in: `/_letro/health` for everybody, check and repair for whoever can read
 * the data folder (the bearer token in `maintenance.token`).
 *
 * It needs no account and no store: this is how a server whose data is damaged is brought back.
 *
 *     GET  /_letro/health                 {"status": "ok" | "maintenance"}          200 | 503
 *     GET  /_letro/maintenance/v1/status  what was found
 *     POST /_letro/maintenance/v1/check   reads everything, answers with the report
 *     POST /_letro/maintenance/v1/repair  in maintenance only; then the server serves again
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { readAccessToken } from './http/authenticate.ts'
import { MatrixError } from './http/matrix-error.ts'
import { limit } from './http/rate-limit.ts'
import type { Route, Step } from './http/route.ts'
import type { StoreHost } from './store/store-host.ts'

export interface MaintenanceDeps {
  readonly host: StoreHost
  readonly token: string
  /** Repairs and goes back to serving. */
  repair(): Promise<object>
}

export function maintenanceRoutes({ host, token, repair }: MaintenanceDeps): Route[] {
  const operator = [requireMaintenanceToken(token), limit('admin')]
  const base = '/_letro/maintenance/v1'
  const health: Step = ctx => {
    const serving = host.state.kind === 'serving'
    ctx.status = serving ? 200 : 503
    ctx.body = { status: serving ? 'ok' : host.state.kind }
  }
  const status: Step = ctx => {
    ctx.body = {
      status: host.state.kind === 'serving' ? 'ok' : host.state.kind,
      findings: host.state.kind === 'maintenance' ? host.state.findings : [],
    }
  }
  const check: Step = async ctx => {
    ctx.body = await host.check()
  }
  const repairNow: Step = async ctx => {
    if (host.state.kind !== 'maintenance') {
      throw new MatrixError(409, 'M_UNKNOWN', 'The server serves: there is nothing to repair.')
    }
    ctx.body = await repair()
  }
  return [
    { method: 'GET', path: '/_letro/health', steps: [health] },
    { method: 'GET', path: `${base}/status`, steps: [...operator, status] },
    { method: 'POST', path: `${base}/check`, steps: [...operator, check] },
    { method: 'POST', path: `${base}/repair`, steps: [...operator, repairNow] },
  ]
}

function requireMaintenanceToken(token: string): Step {
  const expected = hash('sha256', token, 'buffer')
  return async function requireMaintenanceToken(ctx, next) {
    const shown = readAccessToken(ctx)
    if (shown === null) throw new MatrixError(401, 'M_MISSING_TOKEN', 'The maintenance token is needed.')
    if (!timingSafeEqual(hash('sha256', shown, 'buffer'), expected)) {
      ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
      throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'This is not the maintenance token.')
    }
    await next()
  }
}
