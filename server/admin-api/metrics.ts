/** `/_letro/metrics`, for Prometheus: health as numbers, to whoever has the token of `metrics.token_file` or `…token_sha256`. Without one: 404. */
import type { Health } from '../health/health.ts'
import { openMetrics, openMetricsType } from '../health/open-metrics.ts'
import { readAccessToken } from '../http/authenticate.ts'
import { MatrixError } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { BearerToken } from './admin-token.ts'

export interface MetricsDeps {
  readonly health: Pick<Health, 'report'>
  /** null: none is set, and there are no metrics. */
  readonly token: BearerToken | null
  readonly version: string
}

export function metricsRoutes({ health, token, version }: MetricsDeps): Route[] {
  if (!token) return []
  return [
    {
      method: 'GET',
      path: '/_letro/metrics',
      steps: [limit('admin'), requireMetricsToken(token), metrics(health, version)],
    },
  ]
}

function requireMetricsToken(token: BearerToken): Step {
  return async function requireMetricsToken(ctx, next) {
    const shown = readAccessToken(ctx)
    if (shown === null) throw new MatrixError(401, 'M_MISSING_TOKEN', 'The token for metrics is needed.')
    if (!token.matches(shown)) {
      ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
      throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'This is not the token for metrics.')
    }
    await next()
  }
}

function metrics(health: Pick<Health, 'report'>, version: string): Step {
  return async ctx => {
    ctx.body = openMetrics(await health.report(), version)
    ctx.type = openMetricsType
  }
}
