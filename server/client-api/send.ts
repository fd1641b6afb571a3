/**
 * Spec: client-server-api#put_matrixclientv3roomsroomidsendeventtypetxnid and
 * #put_matrixclientv3roomsroomidredacteventidtxnid (room_send.yaml, redaction.yaml)
 */
import { refuseSuspended } from '../http/authenticate.ts'
import { parseBody, parseOptionalBody } from '../http/body.ts'
import { eventId, mayString, needString } from '../http/fields.ts'
import { MatrixError } from '../http/matrix-error.ts'
import { limit } from '../http/rate-limit.ts'
import type { Context, Route, Step } from '../http/route.ts'
import type { EventId, UserId } from '../protocol/ids.ts'
import { relationOf } from '../rooms/relation.ts'
import { joinedView } from '../rooms/room-access.ts'
import { type Draft, RoomError, type Rooms, type SendOptions } from '../rooms/rooms.ts'
import { pathEventId, pathRoomId } from './room-request.ts'

export interface SendDeps {
  readonly authenticate: Step
  readonly rooms: Pick<Rooms, 'send' | 'view' | 'event'>
}

export function sendRoutes({ authenticate, rooms }: SendDeps): Route[] {
  const sendMessage: Step = async function sendMessage(ctx) {
    const { requester, params, body } = ctx.state
    const draft: Draft = {
      roomId: pathRoomId(ctx),
      sender: requester.userId,
      type: params['eventType']!,
      content: body,
    }
    const { eventId } = await rooms.send(draft, transactionOf(ctx))
    ctx.body = { event_id: eventId }
  }

  const sendRedaction: Step = async function sendRedaction(ctx) {
    await redact(ctx, pathEventId(ctx), { reason: mayString(ctx.state.body, 'reason') })
  }

  /** Spec: clients may send a redaction like any other event, whatever the room version. */
  const sendRedactionAsMessage: Step = async function sendRedactionAsMessage(ctx, next) {
    if (ctx.state.params['eventType'] !== 'm.room.redaction') return await next()
    const { redacts: _redacts, ...content } = ctx.state.body
    await redact(ctx, eventId(needString(ctx.state.body, 'redacts'), 'redacts'), content)
  }

  async function redact(ctx: Context, redacts: EventId, content: Draft['content']): Promise<void> {
    const roomId = pathRoomId(ctx)
    const { userId: sender } = ctx.state.requester
    if (ctx.state.standing === 'suspended') await mayRedactOwn(sender, redacts)
    const draft: Draft = { roomId, sender, type: 'm.room.redaction', content: defined(content), redacts }
    try {
      ctx.body = { event_id: (await rooms.send(draft, transactionOf(ctx))).eventId }
    } catch (error) {
      // Who is not in the room does not learn which events are.
      if (error instanceof RoomError && error.code === 'M_NOT_FOUND') await joinedView(rooms, sender, roomId)
      throw error
    }
  }

  /** Spec: client-server-api#account-suspension: who is suspended may redact their own events, and no others. */
  async function mayRedactOwn(sender: UserId, redacts: EventId): Promise<void> {
    if ((await rooms.event(redacts))?.sender === sender) return
    throw new MatrixError(403, 'M_USER_SUSPENDED', 'While suspended you may only redact your own events.')
  }

  /** Spec: client-server-api#validation-of-mthread-relationships */
  const checkThreadRoot: Step = async function checkThreadRoot(ctx, next) {
    const relation = relationOf(ctx.state.body)
    if (relation?.relType === 'm.thread') {
      const root = await rooms.event(relation.parent)
      if (root && relationOf(root.content)) {
        throw new MatrixError(
          400,
          'M_UNKNOWN',
          'm.relates_to.event_id: no thread starts from an event that relates to another.',
        )
      }
    }
    await next()
  }

  return [
    {
      method: 'PUT',
      path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
      steps: [
        authenticate,
        limit('send'),
        parseBody,
        sendRedactionAsMessage,
        refuseSuspended,
        checkThreadRoot,
        sendMessage,
      ],
    },
    {
      method: 'PUT',
      path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
      steps: [authenticate, limit('send'), parseOptionalBody, sendRedaction],
    },
  ]
}

function transactionOf(ctx: Context): SendOptions {
  const { requester, params } = ctx.state
  return {
    transaction: { userId: requester.userId, deviceId: requester.deviceId, txnId: params['txnId']! },
  }
}

function defined(content: Draft['content']): Draft['content'] {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined))
}
