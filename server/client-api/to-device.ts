/**
 * Messages from device to device.
 *
 * Spec: client-server-api#send-to-device-messaging
 */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseBody } from '../http/body.ts'
import { needObject } from '../http/fields.ts'
import { badJson, invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import type { Keys } from '../keys/keys.ts'
import type { ToDeviceMessage } from '../keys/to-device.ts'
import { parseDeviceId, parseUserId } from '../protocol/ids.ts'
import { isObject, type JsonObject } from '../protocol/json.ts'

export interface ToDeviceRoutesDeps {
  readonly accounts: TokenReader
  readonly keys: Keys
}

const maxIdLength = 255

export function toDeviceRoutes({ accounts, keys }: ToDeviceRoutesDeps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/_matrix/client/v3/sendToDevice/:eventType/:txnId',
      steps: [requireAccessToken(accounts), limit('toDevice'), parseBody, sendToDevice(keys)],
    },
  ]
}

function sendToDevice(keys: Keys): Step {
  return async function sendToDevice(ctx) {
    const { userId, deviceId, kind } = ctx.state.requester
    const type = ctx.state.params['eventType']!
    const txnId = ctx.state.params['txnId']!
    if (type.length > maxIdLength) throw invalidParam(`eventType is longer than ${maxIdLength} characters.`)
    if (txnId.length > maxIdLength) throw invalidParam(`txnId is longer than ${maxIdLength} characters.`)
    const messages = parseMessages(needObject(ctx.state.body, 'messages'))
    await keys.sendToDevice({ sender: userId, senderDevice: deviceId, txnId, type, messages }, kind)
    ctx.body = {}
  }
}

function parseMessages(byUser: JsonObject): readonly ToDeviceMessage[] {
  return Object.entries(byUser).flatMap(([id, devices]) => {
    const userId = parseUserId(id)
    if (!userId) throw invalidParam(`messages: ${id} is not a user id (@name:server).`)
    if (!isObject(devices)) throw badJson(`messages.${id} must be an object of device ids.`)
    return Object.entries(devices).map(([device, content]) => {
      const deviceId = device === '*' ? '*' : parseDeviceId(device)
      if (!deviceId) throw invalidParam(`messages.${id} holds something that is no device id.`)
      if (!isObject(content)) throw badJson(`messages.${id}.${device} must be an object.`)
      return { userId, deviceId, content }
    })
  })
}
