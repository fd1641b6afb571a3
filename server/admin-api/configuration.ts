/** The configuration that is in force, for administrators to look at: it is read at the start, and changed where it stands. */
import type { Route, Step } from '../http/route.ts'

export interface ShownSetting {
  readonly key: string
  /** As it would stand in the file; null: there is none. */
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'default'
  readonly doc: string
}

export function configurationRoutes(
  settings: readonly ShownSetting[],
  administrator: readonly Step[],
): Route[] {
  const show: Step = ctx => {
    ctx.body = { settings: settings.map(setting => ({ ...setting })) }
  }
  return [{ method: 'GET', path: '/_letro/admin/v1/configuration', steps: [...administrator, show] }]
}
