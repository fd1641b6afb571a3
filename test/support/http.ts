/** The http layer alone over routes of a test: no store, no accounts. */
import { type LimitName, limitDefaults, noRateLimits, openRateLimits } from '../../server/http/rate-limit.ts'
import type { Route } from '../../server/http/route.ts'
import { listen, requestListener } from '../../server/http/server.ts'
import { type Answer, type CallOptions, call } from './client.ts'

export interface TestHttp {
  readonly base: string
  readonly port: number
  /** What was logged, as lines of JSON. */
  readonly lines: string[]
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  close(graceMs?: number): Promise<void>
}

export async function startHttp(
  routes: readonly Route[],
  limits: Partial<Record<LimitName, { perSecond: number; burst: number }>> = {},
  clock: () => number = Date.now,
): Promise<TestHttp> {
  const lines: string[] = []
  const write = (level: string) => (message: string, fields?: object) =>
    void lines.push(JSON.stringify({ level, message, ...fields }))
  const listener = requestListener({
    routes,
    limits:
      Object.keys(limits).length === 0
        ? noRateLimits
        : openRateLimits({ limits: { ...limitDefaults, ...limits }, clock }),
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    https: false,
  })
  const server = await listen(listener, { host: '127.0.0.1', port: 0 })
  const base = `http://127.0.0.1:${server.port}`
  return {
    base,
    port: server.port,
    lines,
    call: (method, path, options) => call(base, method, path, options),
    close: (graceMs = 0) => server.close(graceMs),
  }
}
