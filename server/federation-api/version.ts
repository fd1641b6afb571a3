/** Spec: server-server-api#server-implementation */
import type { Route, Step } from '../http/route.ts'

export function versionRoutes({ version }: { readonly version: string }): Route[] {
  const showVersion: Step = ctx => {
    ctx.body = { server: { name: 'Letro', version } }
  }
  return [{ method: 'GET', path: '/_matrix/federation/v1/version', steps: [showVersion] }]
}
