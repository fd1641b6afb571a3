/** One's own account: password, end. Spec: client-server-api#legacy-account-management */
import type { Accounts } from '../accounts/accounts.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { mayBoolean, mayString, needString, userId } from '../http/fields.ts'
import { forbidden } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { type InteractiveAuth, requireInteractiveAuth } from './interactive-auth.ts'

export interface AccountDeps {
  readonly accounts: Accounts
  readonly interactiveAuth: InteractiveAuth
}

export function accountRoutes({ accounts, interactiveAuth }: AccountDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  const confirm = requireInteractiveAuth(interactiveAuth)
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/account/password',
      steps: [
        authenticate,
        limit('login'),
        parseBody,
        checkNewPassword(accounts),
        confirm,
        changePassword(accounts),
      ],
    },
    {
      method: 'POST',
      path: '/_matrix/client/v3/account/deactivate',
      steps: [authenticate, limit('login'), parseBody, confirm, deactivate(accounts)],
    },
    {
      // Ours: what a person should settle before they go.
      method: 'GET',
      path: '/_letro/client/v1/account/sole_rooms',
      steps: [authenticate, limit('account'), listSoleRooms(accounts)],
    },
    {
      // No addresses or phone numbers are kept here.
      method: 'GET',
      path: '/_matrix/client/v3/account/3pid',
      steps: [
        authenticate,
        ctx => {
          ctx.body = { threepids: [] }
        },
      ],
    },
  ]
}

function checkNewPassword(accounts: Accounts): Step {
  return async (ctx, next) => {
    if (!accounts.passwords.enabled) throw forbidden('Passwords are turned off on this server.')
    accounts.passwords.checkStrength(needString(ctx.state.body, 'new_password'))
    await next()
  }
}

function changePassword(accounts: Accounts): Step {
  return async ctx => {
    const { body, requester } = ctx.state
    await accounts.passwords.change(requester.userId, needString(body, 'new_password'), {
      keepDevice: requester.deviceId,
      logoutDevices: mayBoolean(body, 'logout_devices') ?? true,
    })
    ctx.body = {}
  }
}

function deactivate(accounts: Accounts): Step {
  return async ctx => {
    const { body, requester } = ctx.state
    const successor = mayString(body, 'org.letro.successor', 255)
    await accounts.deactivation.deactivate(requester.userId, requester.userId, {
      erase: mayBoolean(body, 'erase') ?? false,
      successor: successor === undefined ? undefined : userId(successor, 'org.letro.successor'),
    })
    // Spec: "This must be success if the homeserver has no identifiers to unbind".
    ctx.body = { id_server_unbind_result: 'success' }
  }
}

function listSoleRooms(accounts: Accounts): Step {
  return async ctx => {
    const rooms = await accounts.deactivation.soleRooms(ctx.state.requester.userId)
    ctx.body = {
      rooms: rooms.map(room => ({ room_id: room.roomId, name: room.name, members: room.members })),
    }
  }
}
