/**
 * The configuration: what is in force and who says so, and the settings that an administrator may change while the server runs.
 *
 * Who changes one names the `version` that they saw: two administrators at once do not undo each other unseen.
 */
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayString } from '../http/fields.ts'
import { missingParam } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf } from './administrator.ts'

export interface SettingShown {
  readonly key: string
  /** As it would stand in the file; null: there is none. */
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'set' | 'default'
  readonly doc: string
  readonly kind: 'switch' | 'number' | 'list' | 'choice' | 'text'
  readonly allowed: string
  readonly choices?: readonly string[]
  /** null: not while the server runs. */
  readonly changes: 'now' | 'restart' | null
  /** Until the next start another value is in force. */
  readonly inForce?: { readonly value: string | null }
  readonly version: string
}

/** They reject with a Matrix error code and a sentence. */
export interface SettingsActs {
  list(): readonly SettingShown[]
  set(actor: string, key: string, value: unknown, version: string | undefined): Promise<SettingShown>
  /** Back to what the file says. */
  reset(actor: string, key: string, version: string | undefined): Promise<SettingShown>
}

export function configurationRoutes(
  settings: SettingsActs,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const path = '/_letro/admin/v1/configuration'
  const one = `${path}/:key`
  const show: Step = ctx => {
    ctx.body = { settings: settings.list().map(answer) }
  }
  const set: Step = async ctx => {
    const { body, params } = ctx.state
    if (!('value' in body)) throw missingParam('value')
    const seen = mayString(body, 'version', 64)
    ctx.body = answer(await settings.set(actorOf(ctx), params['key']!, body['value'], seen))
  }
  const reset: Step = async ctx => {
    const { body, params } = ctx.state
    ctx.body = answer(await settings.reset(actorOf(ctx), params['key']!, mayString(body, 'version', 64)))
  }
  return [
    { method: 'GET', path, steps: [...administrator, show] },
    { method: 'PUT', path: one, steps: [...administrator, parseBody, confirmation, set] },
    { method: 'DELETE', path: one, steps: [...administrator, parseOptionalBody, confirmation, reset] },
  ]
}

function answer({ inForce, choices, ...setting }: SettingShown): JsonObject {
  return {
    ...setting,
    ...(choices ? { choices: [...choices] } : {}),
    ...(inForce ? { in_force: inForce.value } : {}),
  }
}
