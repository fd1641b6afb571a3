/** `/_letro/metrics`, for Prometheus: health as numbers, to whoever has the token of `metrics.token_file`. Without it: 404. */
import type { Health } from '../health/health.ts'
import { openMetrics, openMetricsType } from '../health/open-metrics.ts'
import { readAccessToken } from '../http/authenticate.ts'
import { MatrixError } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { FileToken } from './admin-token.ts'

export interface MetricsDeps {
  readonly health: Pick<Health, 'report'>
  /** null: `metrics.token_file` is not set, and there are no metrics. */
  readonly token: FileToken | null
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

function requireMetricsToken(token: FileToken): Step {
  return async function requireMetricsToken(ctx, next) {
    const shown = readAccessToken(ctx)
    if (shown === null)
      throw new MatrixError(401, 'M_MISSING_TOKEN', 'The token of metrics.token_file is needed.')
    if (!token.matches(shown)) {
      ctx.state.limits.take('badToken', `address ${ctx.state.address}`)
      throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'This is not the token of metrics.token_file.')
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
