/**
 * Letting a command line in: `letro login` begins and waits, an administrator approves its code with a passkey.
 *
 * The two requests of the command carry no token: what they show is a code that is worth nothing until it is approved.
 */
import type { Accounts } from '../accounts/accounts.ts'
import type { CommandLine } from '../accounts/command-lines.ts'
import { parseBody } from '../http/body.ts'
import { mayString, needString } from '../http/fields.ts'
import { invalidParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { UserId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf, requireSession } from './administrator.ts'

export function commandLineRoutes(
  accounts: Accounts,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const all = '/_letro/admin/v1/command-lines'
  const waiting = `${all}/waiting/:code`
  const person = [...administrator, requireSession]
  const anybody = [limit('login'), parseBody]
  return [
    { method: 'POST', path: `${all}/begin`, steps: [...anybody, begin(accounts)] },
    { method: 'POST', path: `${all}/collect`, steps: [...anybody, collect(accounts)] },
    { method: 'GET', path: waiting, steps: [...person, show(accounts)] },
    {
      method: 'POST',
      path: `${waiting}/approve`,
      steps: [...person, parseBody, confirmation, approve(accounts)],
    },
    { method: 'DELETE', path: waiting, steps: [...person, refuse(accounts)] },
    { method: 'GET', path: all, steps: [...administrator, list(accounts)] },
    { method: 'DELETE', path: `${all}/:id`, steps: [...administrator, end(accounts)] },
  ]
}

function begin({ commandLines }: Accounts): Step {
  return ctx => {
    const { body } = ctx.state
    const scope = mayString(body, 'scope', 10) ?? 'manage'
    if (scope !== 'read' && scope !== 'manage') throw invalidParam('scope must be read or manage.')
    const { code, secret, expiresTs } = commandLines.begin(needString(body, 'label', 100), scope)
    ctx.body = { code, secret, expires_ts: expiresTs, interval_ms: 3_000 }
  }
}

function collect({ commandLines }: Accounts): Step {
  return async ctx => {
    const collected = await commandLines.collect(needString(ctx.state.body, 'secret', 100))
    ctx.body = collected ? { token: collected.token, ...answer(collected.row) } : { waiting: true }
  }
}

function show({ commandLines }: Accounts): Step {
  return ctx => {
    const found = commandLines.waiting(ctx.state.params['code']!)
    if (!found) throw notFound('No command line waits with this code: it was used, or is too old.')
    const { code, label, scope, createdTs } = found
    ctx.body = { code, label, scope, created_ts: createdTs }
  }
}

function approve({ commandLines }: Accounts): Step {
  return ctx => {
    commandLines.approve(actorOf(ctx) as UserId, ctx.state.params['code']!)
    ctx.body = {}
  }
}

function refuse({ commandLines }: Accounts): Step {
  return ctx => {
    commandLines.refuse(ctx.state.params['code']!)
    ctx.body = {}
  }
}

function list({ commandLines }: Accounts): Step {
  return async ctx => {
    ctx.body = { command_lines: (await commandLines.list()).map(answer) }
  }
}

function end({ commandLines }: Accounts): Step {
  return async ctx => {
    if (!(await commandLines.end(actorOf(ctx), ctx.state.params['id']!)))
      throw notFound('id is no command line that is let in.')
    ctx.body = {}
  }
}

function answer({ id, userId, label, scope, createdTs, expiresTs }: CommandLine): JsonObject {
  return { id, user_id: userId, label, scope, created_ts: createdTs, expires_ts: expiresTs }
}
