/**
 * What answers whatever state the data is in: `/_letro/health` for everybody, check and repair for whoever can read
 * the data folder (the bearer token in `maintenance.token`), and for whoever was given the code that follows from it (maintenance-code.ts).
 *
 * It needs no account and no store: this is how a server whose data is damaged is brought back.
 *
 *     GET  /_letro/health                 {"status": "ok" | "maintenance"}          200 | 503
 *     GET  /_letro/maintenance/v1/status         what was found; restore: how far it is, what was uploaded, what was kept
 *     GET  /_letro/maintenance/v1/code           {"code", "expires_ts"}: for the token alone
 *     POST /_letro/maintenance/v1/check          reads everything, answers with the report
 *     POST /_letro/maintenance/v1/repair         in maintenance only; then the server serves again
 *     POST /_letro/maintenance/v1/enter          nobody is served from now on
 *     POST /_letro/maintenance/v1/leave          people are served again, where the data is sound
 *     PUT  /_letro/maintenance/v1/backups/NAME   a backup, as it is, under its own name
 *     POST /_letro/maintenance/v1/restore        {"backup": NAME, "keys": [AGE-SECRET-KEY-1…] | "passphrase"}      202
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { readAccessToken } from './http/authenticate.ts'
import { parseBody } from './http/body.ts'
import { MatrixError } from './http/matrix-error.ts'
import { limit } from './http/rate-limit.ts'
import type { Route, Step } from './http/route.ts'
import { codesThatHold, maintenanceCode, typedCode } from './maintenance-code.ts'
import type { RestoreJob } from './maintenance-restore.ts'
import type { StoreHost } from './store/store-host.ts'

export interface MaintenanceDeps {
  readonly host: StoreHost
  readonly token: string
  readonly clock: () => number
  /** Repairs and goes back to serving. */
  repair(): Promise<object>
  /** Nobody is served, because of damage or because an operator said so. */
  isInMaintenance(): boolean
  enter(): Promise<void>
  leave(): Promise<void>
  readonly restore: RestoreJob
}

export function maintenanceRoutes(deps: MaintenanceDeps): Route[] {
  const { host, token, clock, repair, isInMaintenance, restore } = deps
  const holdsToken = [requireMaintenanceToken(token, () => []), limit('admin')]
  const operator = [requireMaintenanceToken(token, () => codesThatHold(token, clock())), limit('admin')]
  const base = '/_letro/maintenance/v1'
  const kind = () => (isInMaintenance() ? 'maintenance' : 'ok')
  const health: Step = ctx => {
    ctx.status = isInMaintenance() ? 503 : 200
    ctx.body = { status: kind() }
  }
  const status: Step = async ctx => {
    ctx.body = {
      status: kind(),
      findings: host.state.kind === 'maintenance' ? host.state.findings : [],
      restore: await restore.shown(),
    }
  }
  // A code makes no further one: it ends.
  const code: Step = ctx => {
    const { code, expiresTs } = maintenanceCode(token, clock())
    ctx.body = { code, expires_ts: expiresTs }
  }
  const enter: Step = async ctx => {
    await deps.enter()
    ctx.body = { status: kind() }
  }
  // What people wrote meanwhile would be acknowledged, and gone.
  const mustNotBeReplaced = () => {
    if (restore.isUnderWay())
      throw new MatrixError(
        409,
        'M_UNKNOWN',
        'A backup is being restored: people are served when it is over.',
      )
  }
  const leave: Step = async ctx => {
    mustNotBeReplaced()
    if (host.state.kind !== 'serving')
      throw new MatrixError(409, 'M_UNKNOWN', 'The data is damaged: repair it, or restore a backup.')
    await deps.leave()
    ctx.body = { status: kind() }
  }
  const check: Step = async ctx => {
    ctx.body = await host.check()
  }
  const repairNow: Step = async ctx => {
    mustNotBeReplaced()
    if (host.state.kind !== 'maintenance') {
      throw new MatrixError(409, 'M_UNKNOWN', 'The server serves: there is nothing to repair.')
    }
    ctx.body = await repair()
  }
  return [
    { method: 'GET', path: '/_letro/health', steps: [health] },
    { method: 'GET', path: `${base}/status`, steps: [...operator, status] },
    { method: 'GET', path: `${base}/code`, steps: [...holdsToken, code] },
    { method: 'POST', path: `${base}/check`, steps: [...operator, check] },
    { method: 'POST', path: `${base}/repair`, steps: [...operator, repairNow] },
    { method: 'POST', path: `${base}/enter`, steps: [...operator, enter] },
    { method: 'POST', path: `${base}/leave`, steps: [...operator, leave] },
    { method: 'PUT', path: `${base}/backups/:name`, steps: [...operator, restore.upload] },
    { method: 'POST', path: `${base}/restore`, steps: [...operator, parseBody, restore.restore] },
  ]
}

function requireMaintenanceToken(token: string, codes: () => readonly string[]): Step {
  return async function requireMaintenanceToken(ctx, next) {
    const shown = readAccessToken(ctx)
    if (shown === null)
      throw new MatrixError(
        401,
        'M_MISSING_TOKEN',
        'The maintenance token is needed, or the code of the console.',
      )
    if (!isSame(shown, token)) {
      const { limits, address } = ctx.state
      // Before it is looked at: who guesses too fast does not learn that one was right.
      limits.mustBeLeft('badToken', `address ${address}`)
      const typed = typedCode(shown)
      if (!codes().some(code => isSame(typed, code))) {
        limits.take('badToken', `address ${address}`)
        throw new MatrixError(
          401,
          'M_UNKNOWN_TOKEN',
          'This is not the maintenance token, and no code that the console shows now.',
        )
      }
    }
    await next()
  }
}

function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
}
