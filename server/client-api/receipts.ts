/** Receipts. Spec: client-server-api#post_matrixclientv3roomsroomidreceiptreceipttypeeventid. */
import { requireAccessToken, type TokenReader } from '../http/authenticate.ts'
import { parseOptionalBody } from '../http/body.ts'
import { eventId, mayString, roomId } from '../http/fields.ts'
import { invalidParam } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Route, Step } from '../http/route.ts'
import { parseEventId } from '../protocol/ids.ts'
import type { JsonObject } from '../protocol/json.ts'
import type { ReadMarkers } from '../sync/read-markers.ts'

export interface ReceiptRouteDeps {
  readonly accounts: TokenReader
  readonly readMarkers: ReadMarkers
}

export function receiptRoutes({ accounts, readMarkers }: ReceiptRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId',
      steps: [requireAccessToken(accounts), limit('ephemeral'), parseOptionalBody, sendReceipt(readMarkers)],
    },
  ]
}

const types = ['m.read', 'm.read.private', 'm.fully_read'] as const

function sendReceipt(readMarkers: ReadMarkers): Step {
  return async function sendReceipt(ctx) {
    const { params, body, requester } = ctx.state
    const type = types.find(each => each === params['receiptType'])
    if (!type) throw invalidParam(`receiptType must be one of ${types.join(', ')}.`)
    const threadId = readThreadId(body)
    if (threadId !== undefined && type === 'm.fully_read')
      throw invalidParam('thread_id does not go with m.fully_read.')
    const room = roomId(params['roomId'], 'roomId')
    const event = eventId(params['eventId'], 'eventId')
    await readMarkers.mark(room, requester.userId, { [type]: { eventId: event, threadId } })
    ctx.body = {}
  }
}

function readThreadId(body: JsonObject): 'main' | ReturnType<typeof parseEventId> | undefined {
  const value = body['thread_id']
  if (value === undefined) return undefined
  // Spec: M_INVALID_PARAM also where it is no string.
  if (typeof value !== 'string' || value === '') throw invalidParam('thread_id must be a non-empty string.')
  mayString(body, 'thread_id', 255)
  const threadId = value === 'main' ? value : parseEventId(value)
  if (!threadId) throw invalidParam('thread_id must be "main" or the event id of a thread root.')
  return threadId
}
