/** One's own devices. Spec: client-server-api#device-management. No addresses are kept, so none are shown. */
import type { Accounts } from '../accounts/accounts.ts'
import type { Device } from '../accounts/sessions.ts'
import { requireAccessToken } from '../http/authenticate.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { mayString, mayStrings } from '../http/fields.ts'
import { missingParam, notFound } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { JsonObject } from '../protocol/json.ts'
import { type InteractiveAuth, requireInteractiveAuth } from './interactive-auth.ts'

export interface DevicesDeps {
  readonly accounts: Accounts
  readonly interactiveAuth: InteractiveAuth
}

const maxDisplayName = 256

export function deviceRoutes({ accounts, interactiveAuth }: DevicesDeps): Route[] {
  const authenticate = requireAccessToken(accounts)
  const confirm = requireInteractiveAuth(interactiveAuth)
  const slow = limit('account')
  const one = '/_matrix/client/v3/devices/:deviceId'
  return [
    { method: 'GET', path: '/_matrix/client/v3/devices', steps: [authenticate, slow, listDevices(accounts)] },
    { method: 'GET', path: one, steps: [authenticate, slow, getDevice(accounts)] },
    { method: 'PUT', path: one, steps: [authenticate, slow, parseBody, renameDevice(accounts)] },
    {
      method: 'DELETE',
      path: one,
      steps: [authenticate, limit('login'), parseOptionalBody, confirm, deleteDevice(accounts)],
    },
    {
      method: 'POST',
      path: '/_matrix/client/v3/delete_devices',
      steps: [authenticate, limit('login'), parseBody, needDevices, confirm, deleteDevices(accounts)],
    },
  ]
}

function listDevices(accounts: Accounts): Step {
  return async ctx => {
    const devices = await accounts.sessions.devices(ctx.state.requester.userId)
    ctx.body = { devices: devices.map(deviceAnswer) }
  }
}

function getDevice(accounts: Accounts): Step {
  return async ctx => {
    const device = await accounts.sessions.device(ctx.state.requester.userId, ctx.state.params['deviceId']!)
    if (!device) throw notFound('deviceId is no device of yours.')
    ctx.body = deviceAnswer(device)
  }
}

function renameDevice(accounts: Accounts): Step {
  return async ctx => {
    const { requester, params, body } = ctx.state
    const deviceId = params['deviceId']!
    const displayName = mayString(body, 'display_name', maxDisplayName)
    const found =
      displayName === undefined
        ? (await accounts.sessions.device(requester.userId, deviceId)) !== null
        : await accounts.sessions.renameDevice(requester.userId, deviceId, displayName)
    if (!found) throw notFound('deviceId is no device of yours.')
    ctx.body = {}
  }
}

function deleteDevice(accounts: Accounts): Step {
  return async ctx => {
    await accounts.sessions.removeDevices(ctx.state.requester.userId, [ctx.state.params['deviceId']!])
    ctx.body = {}
  }
}

const needDevices: Step = async (ctx, next) => {
  if (!mayStrings(ctx.state.body, 'devices')) throw missingParam('devices')
  await next()
}

function deleteDevices(accounts: Accounts): Step {
  return async ctx => {
    const devices = new Set(mayStrings(ctx.state.body, 'devices'))
    await accounts.sessions.removeDevices(ctx.state.requester.userId, [...devices])
    ctx.body = {}
  }
}

function deviceAnswer(device: Device): JsonObject {
  return {
    device_id: device.deviceId,
    ...(device.displayName === undefined ? {} : { display_name: device.displayName }),
    ...(device.lastSeenTs === undefined ? {} : { last_seen_ts: device.lastSeenTs }),
  }
}
