/** Updates of the appliance: how they stand, one uploaded, applied, and when the machine restarts for it. */
import { bodyPieces, parseBody, parseOptionalBody } from '../http/body.ts'
import { invalidParam, MatrixError } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { AuditAct } from '../protocol/audit-chain.ts'
import type { JsonObject } from '../protocol/json.ts'
import { UpdateRefused } from '../updates/update-refused.ts'
import type { UpdateDescription } from '../updates/updater-connection.ts'
import type { Updates, UpdatesStatus } from '../updates/updates.ts'
import { actorOf } from './administrator.ts'

export interface UpdateRouteDeps {
  readonly updates: Updates
  readonly audit: (act: AuditAct) => Promise<void>
}

type Audit = UpdateRouteDeps['audit']

/**
 * An upload is not confirmed by passkey: its body is the file, and what it can do is take room on the disk. Applying it,
 * which gives a release power over everything, is.
 */
export function updateRoutes(
  { updates, audit }: UpdateRouteDeps,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const path = '/_letro/admin/v1/update'
  const grave = [...administrator, parseBody, confirmation]
  return [
    { method: 'GET', path, steps: [...administrator, show(updates)] },
    { method: 'POST', path, steps: [...administrator, upload(updates, audit)] },
    { method: 'POST', path: `${path}/apply`, steps: [...grave, apply(updates, audit)] },
    { method: 'PUT', path: `${path}/window`, steps: [...grave, setWindow(updates, audit)] },
    {
      method: 'POST',
      path: `${path}/restart`,
      steps: [...administrator, parseOptionalBody, confirmation, restart(updates, audit)],
    },
  ]
}

function show(updates: Updates): Step {
  return async ctx => {
    ctx.body = statusJson(await updates.status())
  }
}

function upload(updates: Updates, audit: Audit): Step {
  return async ctx => {
    if (ctx.req.headers['content-encoding'] !== undefined)
      throw new MatrixError(415, 'M_UNKNOWN', 'A compressed body (Content-Encoding) is not supported.')
    const announced = ctx.req.headers['content-length']
    const actor = actorOf(ctx)
    try {
      const update = await updates.upload(bodyPieces(ctx), announced === undefined ? null : Number(announced))
      const { version, counter } = update
      await audit({ actor, action: 'update.uploaded', target: version, detail: { counter } })
      ctx.body = { update: descriptionJson(update) }
    } catch (error) {
      if (error instanceof UpdateRefused && updates.isHere)
        await audit({ actor, action: 'update.refused', detail: { reason: error.code } })
      throw error
    }
  }
}

/** It takes as long as it takes: `GET` tells how far it is, and in the end what became of it. */
function apply(updates: Updates, audit: Audit): Step {
  return async ctx => {
    const { version } = ctx.state.body
    if (typeof version !== 'string') throw invalidParam('version: which uploaded update is to be applied.')
    const actor = actorOf(ctx)
    await updates.apply(version, failure =>
      audit(
        failure
          ? { actor, action: 'update.failed', target: version, detail: { reason: failure.code } }
          : { actor, action: 'update.applied', target: version },
      ),
    )
    await audit({ actor, action: 'update.asked', target: version })
    ctx.status = 202
    ctx.body = statusJson(await updates.status())
  }
}

function setWindow(updates: Updates, audit: Audit): Step {
  return async ctx => {
    const { window } = ctx.state.body
    if (window !== null && typeof window !== 'string')
      throw invalidParam('window: two times of day such as "02:00-04:00", or null: never by itself.')
    await updates.setWindow(window)
    await audit({ actor: actorOf(ctx), action: 'update.window', detail: { window } })
    ctx.body = { window }
  }
}

function restart(updates: Updates, audit: Audit): Step {
  return async ctx => {
    const { waiting } = await updates.status()
    // First the record: afterwards there may be nobody left to write it.
    if (waiting) await audit({ actor: actorOf(ctx), action: 'update.restart', target: waiting.version })
    await updates.restart()
    ctx.status = 202
    ctx.body = {}
  }
}

function statusJson({ spool: _, uploaded, ...status }: UpdatesStatus): JsonObject {
  const rest = status as unknown as JsonObject
  return { ...rest, uploaded: uploaded && descriptionJson(uploaded) }
}

function descriptionJson(update: UpdateDescription): JsonObject {
  return { ...update } as unknown as JsonObject
}
