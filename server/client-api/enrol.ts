/**
 * Enrolment and passkeys: what a person's browser calls.
 *
 * `POST /_letro/client/v1/enrolment/begin` `{secret}` → who it is for and `options`
 * (PublicKeyCredentialCreationOptionsJSON); `…/complete` `{secret, attestation, name?, device_id?, …}` → a session
 * as from login (`inhibit_login: true`: without). `GET /_letro/client/v1/passkeys` lists one's own;
 * `…/passkeys/begin` and `…/complete` add one; `PUT` and `DELETE …/passkeys/{id}` name and remove one.
 * Adding and removing ask for interactive authentication: a stolen token must not be enough. A session that a login token
 * opened within the last ten minutes may add one passkey without (accounts/login-tokens.ts).
 */
import type { Accounts } from '../accounts/accounts.ts'
import type { Passkey } from '../accounts/passkeys.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayBoolean, mayString, needObject, needString } from '../http/fields.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { decodeBase64Url, encodeBase64 } from '../protocol/base64.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type InteractiveAuth, requireInteractiveAuth } from './interactive-auth.ts'
import { newSessionOf, sessionAnswer } from './session-answer.ts'

export interface EnrolDeps {
  readonly accounts: Accounts
  readonly interactiveAuth: InteractiveAuth
}

const maxSecret = 200

export function enrolmentRoutes({ accounts, interactiveAuth }: EnrolDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  const confirm = requireInteractiveAuth(interactiveAuth)
  const slow = limit('login')
  const enrolment = '/_letro/client/v1/enrolment'
  const passkeys = '/_letro/client/v1/passkeys'
  return [
    { method: 'POST', path: `${enrolment}/begin`, steps: [slow, parseBody, begin(accounts)] },
    { method: 'POST', path: `${enrolment}/complete`, steps: [slow, parseBody, complete(accounts)] },
    { method: 'GET', path: passkeys, steps: [authenticate, limit('account'), list(accounts)] },
    {
      method: 'POST',
      path: `${passkeys}/begin`,
      steps: [authenticate, slow, parseOptionalBody, beginAdd(accounts, confirm)],
    },
    {
      method: 'POST',
      path: `${passkeys}/complete`,
      steps: [authenticate, slow, parseBody, completeAdd(accounts)],
    },
    { method: 'PUT', path: `${passkeys}/:id`, steps: [authenticate, slow, parseBody, rename(accounts)] },
    {
      method: 'DELETE',
      path: `${passkeys}/:id`,
      steps: [authenticate, slow, parseOptionalBody, confirm, remove(accounts)],
    },
  ]
}

function begin(accounts: Accounts): Step {
  return async ctx => {
    const begun = await accounts.enrolment.begin(needString(ctx.state.body, 'secret', maxSecret))
    ctx.body = {
      user_id: begun.userId,
      server_name: accounts.serverName,
      purpose: begun.purpose,
      kind: begun.kind,
      expires_ts: begun.expiresTs,
      ...(begun.displayName === undefined ? {} : { display_name: begun.displayName }),
      options: begun.options,
    }
  }
}

function complete(accounts: Accounts): Step {
  return async ctx => {
    const { body } = ctx.state
    const { userId, session } = await accounts.enrolment.complete(
      needString(body, 'secret', maxSecret),
      needObject(body, 'attestation'),
      mayString(body, 'name', 100) ?? 'Passkey',
      mayBoolean(body, 'inhibit_login') ? null : newSessionOf(body),
    )
    ctx.body = session ? sessionAnswer(session) : { user_id: userId }
  }
}

function list(accounts: Accounts): Step {
  return async ctx => {
    const passkeys = await accounts.passkeys.list(ctx.state.requester.userId)
    ctx.body = { passkeys: passkeys.map(passkeyAnswer) }
  }
}

function beginAdd(accounts: Accounts, confirm: Step): Step {
  return async ctx => {
    const { requester } = ctx.state
    const unproven = accounts.loginTokens.mayAddPasskey(requester)
    const begin = async () => {
      ctx.body = { options: await accounts.passkeys.beginAdd(requester.userId, unproven) }
    }
    if (unproven) await begin()
    else await confirm(ctx, begin)
  }
}

function completeAdd(accounts: Accounts): Step {
  return async ctx => {
    const { body, requester } = ctx.state
    const passkey = await accounts.passkeys.completeAdd(
      requester.userId,
      needObject(body, 'attestation'),
      mayString(body, 'name', 100) ?? 'Passkey',
      accounts.loginTokens.mayAddPasskey(requester),
    )
    accounts.loginTokens.passkeyAdded(requester)
    ctx.body = passkeyAnswer(passkey)
  }
}

function rename(accounts: Accounts): Step {
  return async ctx => {
    const { body, requester, params } = ctx.state
    await accounts.passkeys.rename(requester.userId, params['id']!, needString(body, 'name', 100))
    ctx.body = {}
  }
}

function remove(accounts: Accounts): Step {
  return async ctx => {
    await accounts.passkeys.remove(ctx.state.requester.userId, ctx.state.params['id']!)
    ctx.body = {}
  }
}

function passkeyAnswer(passkey: Passkey): JsonObject {
  return {
    id: passkey.id,
    name: passkey.name,
    // COSE, unpadded base64: what a person's devices list among their passkeys, signed by the master key.
    public_key: encodeBase64(decodeBase64Url(passkey.publicKey)!),
    created_ts: passkey.createdTs,
    ...(passkey.lastUsedTs === undefined ? {} : { last_used_ts: passkey.lastUsedTs }),
    backup_eligible: passkey.backupEligible,
    backed_up: passkey.backedUp,
  }
}
