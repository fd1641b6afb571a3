/** Enrolment links and registration tokens: how people get in. A secret is shown once, when it is made. */
import type { Accounts } from '../accounts/accounts.ts'
import type { NewLink } from '../accounts/enrolment.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayBoolean, mayInteger, mayString, needUserId } from '../http/fields.ts'
import { notFound } from '../http/matrix-error.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import { actorOf } from './administrator.ts'
import { externalOf, kindOf, linkAnswer, target } from './people.ts'

export function enrolmentAdminRoutes(
  accounts: Accounts,
  administrator: readonly Step[],
  confirmation: Step,
): Route[] {
  const links = '/_letro/admin/v1/enrolment-links'
  const tokens = '/_letro/admin/v1/registration-tokens'
  return [
    { method: 'GET', path: links, steps: [...administrator, listLinks(accounts)] },
    {
      method: 'POST',
      path: links,
      steps: [...administrator, parseBody, whereItGivesPower(confirmation), createLink(accounts)],
    },
    {
      method: 'DELETE',
      path: `${links}/:id`,
      steps: [...administrator, parseOptionalBody, confirmation, removeLink(accounts)],
    },
    {
      method: 'POST',
      path: '/_letro/admin/v1/people/:userId/re-enrolment',
      steps: [...administrator, parseOptionalBody, confirmation, createReEnrolmentLink(accounts)],
    },
    { method: 'GET', path: tokens, steps: [...administrator, listTokens(accounts)] },
    {
      method: 'POST',
      path: tokens,
      steps: [...administrator, parseOptionalBody, confirmation, createToken(accounts)],
    },
    {
      method: 'DELETE',
      path: `${tokens}/:id`,
      steps: [...administrator, parseOptionalBody, confirmation, removeToken(accounts)],
    },
  ]
}

/** The open link that the caller knows of, null for none; absent: whatever there is. */
function replacesOf(body: JsonObject): string | null | undefined {
  return body['replaces'] === null ? null : mayString(body, 'replaces', 64)
}

function createLink(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const kind = kindOf(mayString(body, 'kind', 20) ?? 'member')
    const link = await accounts.enrolment.createLink(actorOf(ctx), needUserId(body, 'user_id'), {
      kind,
      lifetimeMs: mayInteger(body, 'lifetime_ms'),
      displayName: mayString(body, 'display_name', 256),
      external: externalOf(body, kind),
      code: mayBoolean(body, 'code'),
      replaces: replacesOf(body),
    })
    ctx.body = newLinkAnswer(link)
  }
}

/** A link for a member is an everyday thing; one that makes an administrator is not. */
function whereItGivesPower(confirmation: Step): Step {
  return function whereItGivesPower(ctx, next) {
    return ctx.state.body['kind'] === 'administrator' ? confirmation(ctx, next) : next()
  }
}

function createReEnrolmentLink(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const link = await accounts.enrolment.createReEnrolmentLink(actorOf(ctx), target(ctx), {
      lifetimeMs: mayInteger(body, 'lifetime_ms'),
      code: mayBoolean(body, 'code'),
      replaces: replacesOf(body),
    })
    ctx.body = newLinkAnswer(link)
  }
}

function listLinks(accounts: Accounts): Step {
  return async ctx => {
    ctx.body = { links: (await accounts.enrolment.links()).map(linkAnswer) }
  }
}

function removeLink(accounts: Accounts): Step {
  return async ctx => {
    if (!(await accounts.enrolment.removeLink(actorOf(ctx), ctx.state.params['id']!)))
      throw notFound('id is no open enrolment link.')
    ctx.body = {}
  }
}

function createToken(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const { token, row } = await accounts.registrationTokens.create(actorOf(ctx), {
      token: mayString(body, 'token', 64),
      usesAllowed: mayInteger(body, 'uses_allowed', 1),
      expiresTs: mayInteger(body, 'expires_ts'),
    })
    ctx.body = { id: row.id, token }
  }
}

function listTokens(accounts: Accounts): Step {
  return async ctx => {
    const tokens = await accounts.registrationTokens.list()
    ctx.body = {
      tokens: tokens.map(row => ({
        id: row.id,
        created_ts: row.createdTs,
        created_by: row.createdBy,
        uses: row.uses,
        uses_allowed: row.usesAllowed ?? null,
        expires_ts: row.expiresTs ?? null,
      })),
    }
  }
}

function removeToken(accounts: Accounts): Step {
  return async ctx => {
    if (!(await accounts.registrationTokens.remove(actorOf(ctx), ctx.state.params['id']!)))
      throw notFound('id is no registration token.')
    ctx.body = {}
  }
}

function newLinkAnswer(link: NewLink): JsonObject {
  return {
    id: link.id,
    user_id: link.userId,
    link: link.url,
    ...(link.code === undefined ? {} : { code: link.code }),
    expires_ts: link.expiresTs,
  }
}
