/**
 * Asking a room's policy server for its signature on one event.
 *
 * One that does not answer is left alone for a while: whatever needs it meanwhile is refused at once, and nobody's room
 * waits for it event by event.
 *
 * Spec: server-server-api#asking-for-a-policy-server-signature-on-an-event
 */

import { decodeBase64 } from '../protocol/base64.ts'
import type { Pdu } from '../protocol/event.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, memberOf } from '../protocol/json.ts'
import { withSignature } from '../protocol/signing.ts'
import { isSignature, type PolicyServer, policyKeyId } from './policy-server.ts'
import { RemoteError, type RemoteRooms } from './remote-rooms.ts'
import { RoomError, type RoomErrorCode } from './rooms.ts'

export interface PolicySignaturesDeps {
  readonly serverName: ServerName
  readonly remote: Pick<RemoteRooms, 'policySignature'>
  readonly clock: () => number
}

const leftAloneMs = 30_000
const maxLeftAlone = 1_000

export class PolicySignatures {
  readonly #deps: PolicySignaturesDeps
  readonly #leftAloneUntil = new Map<ServerName, number>()

  constructor(deps: PolicySignaturesDeps) {
    this.#deps = deps
  }

  /**
   * The event with the policy server's signature beside those that it has: the server may be the sender's own.
   * @throws RemoteError: it refuses, or has not answered.
   */
  async sign(policyServer: PolicyServer, pdu: Pdu, essential: string): Promise<Pdu> {
    const { via, publicKey } = policyServer
    const theirs = memberOf(await this.#ask(via, pdu), via)
    const signature = isObject(theirs) ? memberOf(theirs, policyKeyId) : undefined
    if (typeof signature !== 'string' || !isSignature(publicKey, signature, essential)) {
      throw new RemoteError(
        'refused',
        `The room's policy server ${via} gave no signature under the key that the room names.`,
      )
    }
    return withSignature(pdu, via, policyKeyId, decodeBase64(signature)!)
  }

  async #ask(via: ServerName, pdu: Pdu) {
    const { serverName, remote, clock } = this.#deps
    if (via === serverName) {
      throw new RemoteError(
        'refused',
        `The room names this server as its policy server (m.room.policy), and it is none.`,
      )
    }
    if ((this.#leftAloneUntil.get(via) ?? 0) > clock()) {
      throw new RemoteError('unreachable', `${via} did not answer a moment ago.`)
    }
    this.#leftAloneUntil.delete(via)
    try {
      return await remote.policySignature(via, pdu)
    } catch (error) {
      if (error instanceof RemoteError && error.kind === 'unreachable') {
        if (this.#leftAloneUntil.size >= maxLeftAlone) this.#leftAloneUntil.clear()
        this.#leftAloneUntil.set(via, clock() + leftAloneMs)
      }
      throw error
    }
  }
}

/** What the endpoint's errors say about the event. All others are about the policy server. */
const saidOfTheEvent = new Set(['M_FORBIDDEN', 'M_BAD_JSON', 'M_LIMIT_EXCEEDED'])

/**
 * What our person is told whose event was not recommended: the policy server's own error.
 *
 * Deviation: server-server-api#validating-policy-server-signatures (verbatim). A code that says nothing of the event, such
 * as M_UNKNOWN_TOKEN, would be taken for ours by the client: it becomes M_FORBIDDEN.
 */
export function policyRefusal({ via }: PolicyServer, error: RemoteError): RoomError {
  if (error.kind === 'refused') {
    const isOfTheEvent = error.errcode !== undefined && saidOfTheEvent.has(error.errcode)
    return new RoomError(isOfTheEvent ? (error.errcode as RoomErrorCode) : 'M_FORBIDDEN', error.message, {
      cause: error,
      ...(isOfTheEvent && { status: error.status, fields: error.fields }),
    })
  }
  const sentence =
    error.kind === 'unpinned'
      ? `This server is not connected to ${via}, the room's policy server`
      : `${via}, the room's policy server, could not be reached`
  return new RoomError(
    'M_UNKNOWN',
    `${sentence}: without its consent nothing is sent here. Try again later.`,
    {
      cause: error,
      ...(error.kind === 'unreachable' && { status: 503 }),
    },
  )
}
