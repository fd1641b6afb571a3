/** Backups: how they stand, one now, one to fetch, and for whom they are encrypted. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { BackupStatus, Backups } from '../backup/backups.ts'
import { requireRecipient } from '../backup/recipients.ts'
import { parseBody } from '../http/body.ts'
import { needString } from '../http/fields.ts'
import { invalidParam, notFound } from '../http/matrix-error.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { AuditAct } from '../protocol/audit-chain.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf } from './administrator.ts'
import { openFetchTickets } from './fetch-tickets.ts'

export interface BackupRouteDeps {
  readonly backups: Backups
  readonly clock: () => number
  readonly audit: (act: AuditAct) => Promise<void>
}

export function backupRoutes(
  { backups, audit, clock }: BackupRouteDeps,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const path = '/_letro/admin/v1/backups'
  const tickets = openFetchTickets(clock)
  const issue: Step = ctx => {
    const name = needString(ctx.state.body, 'name', 200)
    const { ticket, expiresTs } = tickets.issue(actorOf(ctx), name)
    ctx.body = { ticket, expires_ts: expiresTs }
  }
  return [
    { method: 'GET', path, steps: [...administrator, show(backups)] },
    { method: 'POST', path, steps: [...administrator, runNow(backups, audit)] },
    {
      method: 'POST',
      path: '/_letro/admin/v1/backup-tickets',
      steps: [...administrator, parseBody, confirmation, issue],
    },
    {
      method: 'GET',
      path: `${path}/new`,
      steps: [...administrator, tickets.require(() => 'new'), pull(backups, audit)],
    },
    {
      method: 'GET',
      path: `${path}/:name`,
      steps: [...administrator, tickets.require(({ name }) => name!), fetchOne(backups, audit)],
    },
    {
      method: 'PUT',
      path: '/_letro/admin/v1/backup-recipients',
      steps: [...administrator, parseBody, confirmation, setRecipients(backups, audit)],
    },
  ]
}

function show(backups: Backups): Step {
  return async ctx => {
    const [status, files] = await Promise.all([backups.status(), backups.list().catch(() => [])])
    ctx.body = { ...statusJson(status), files }
  }
}

/** It takes as long as it takes: `GET` tells how far it is. */
function runNow(backups: Backups, audit: BackupRouteDeps['audit']): Step {
  return async ctx => {
    await backups.requireReady()
    await audit({ actor: actorOf(ctx), action: 'backup.asked' })
    // What becomes of it is in the status.
    backups.run().catch(() => {})
    ctx.status = 202
    ctx.body = statusJson(await backups.status())
  }
}

function pull(backups: Backups, audit: BackupRouteDeps['audit']): Step {
  return async ctx => {
    const { name, bytes } = await backups.pull()
    await audit({ actor: actorOf(ctx), action: 'backup.pulled', detail: { name } })
    answerFile(ctx, name, Readable.from(bytes, { objectMode: false }))
  }
}

function fetchOne(backups: Backups, audit: BackupRouteDeps['audit']): Step {
  return async ctx => {
    const name = ctx.state.params['name']!
    const path = await backups.file(name)
    if (path === null) throw notFound('There is no backup of that name in the folder.')
    await audit({ actor: actorOf(ctx), action: 'backup.fetched', detail: { name } })
    answerFile(ctx, name, createReadStream(path))
  }
}

/** From then on whoever has their private halves opens what is backed up: all of this server’s data. */
function setRecipients(backups: Backups, audit: BackupRouteDeps['audit']): Step {
  return async ctx => {
    const { recipients } = ctx.state.body
    const isList = (value: unknown): value is string[] =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= 20 &&
      value.every(recipient => typeof recipient === 'string')
    if (!isList(recipients)) throw invalidParam('recipients: a list of public keys of age (age1…).')
    for (const recipient of recipients) await requireRecipient(recipient)
    backups.requireRecipientsFree()
    // First the record: nobody ever reads data without a line about who let them.
    await audit({ actor: actorOf(ctx), action: 'backup.recipients', detail: { recipients } })
    await backups.keepRecipients(recipients)
    ctx.body = { recipients }
  }
}

function answerFile(ctx: Context, name: string, stream: Readable): void {
  ctx.type = 'application/octet-stream'
  ctx.set('Content-Disposition', `attachment; filename="${name}"`)
  ctx.body = stream
}

function statusJson(status: BackupStatus): JsonObject {
  const { success, written, failure, running } = status
  const one = (backup: NonNullable<typeof written>) => ({
    ts: backup.ts,
    name: backup.name,
    bytes: backup.bytes,
    full: backup.full,
  })
  return {
    since_ts: status.sinceTs,
    encrypted_for: status.encryptedFor,
    folder: status.folder,
    sftp: status.sftp,
    sftp_public_key: status.sftpPublicKey,
    next_ts: status.nextTs,
    ...(success ? { last_success: { ...one(success), places: success.places } } : {}),
    ...(written ? { last_written: one(written) } : {}),
    ...(failure ? { last_failure: { ts: failure.ts, code: failure.code, error: failure.message } } : {}),
    ...(running ? { running: { since_ts: running.sinceTs, step: running.step, bytes: running.bytes } } : {}),
  }
}
