/**
 * A room's policy server: a server in the room that says by its signature which events it recommends.
 *
 * Its word is no authorisation rule. What it does not recommend is not sent from here; what comes from other servers
 * without its signature is kept, and shown to nobody (soft-failed). We are no policy server ourselves.
 *
 * Spec: server-server-api#policy-servers, client-server-api#mroompolicy
 */
import { decodeBase64, decodeBase64Url } from '../protocol/base64.ts'
import type { Pdu } from '../protocol/event.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject, memberOf } from '../protocol/json.ts'
import type { KeyId } from '../protocol/signing.ts'
import { utf8Bytes } from '../protocol/utf8.ts'
import { verify } from './primitives.ts'
import type { RoomView } from './rooms.ts'

export interface PolicyServer {
  readonly via: ServerName
  /** As the room's state says it. Where it is no key at all, nothing can be signed under it. */
  readonly publicKey: string
}

export const policyType = 'm.room.policy'
/** Spec: server-server-api#validating-policy-server-signatures: always this one. */
export const policyKeyId = 'ed25519:policy_server' as KeyId

/** null: the room uses none. Spec: server-server-api#determining-if-a-policy-server-is-enabled-in-a-room */
export function policyServerOf(view: Pick<RoomView, 'state' | 'joinedServers'>): PolicyServer | null {
  const content = view.state(policyType)?.content
  if (!isObject(content)) return null
  const via = memberOf(content, 'via')
  const keys = memberOf(content, 'public_keys')
  const publicKey = isObject(keys) ? memberOf(keys, 'ed25519') : undefined
  if (typeof via !== 'string' || typeof publicKey !== 'string') return null
  return view.joinedServers.has(via as ServerName) ? { via: via as ServerName, publicKey } : null
}

/** Whose signature the event needs in this room. null: nobody's, so that a room can always change its policy server. */
export function policyServerFor(
  view: Pick<RoomView, 'state' | 'joinedServers'>,
  { type, state_key }: Pick<Pdu, 'type' | 'state_key'>,
): PolicyServer | null {
  return type === policyType && state_key === '' ? null : policyServerOf(view)
}

/** `essential`: the event's signed text. */
export function isRecommended({ via, publicKey }: PolicyServer, pdu: Pdu, essential: string): boolean {
  const theirs = memberOf(pdu.signatures ?? {}, via)
  return isObject(theirs) && isSignature(publicKey, memberOf(theirs, policyKeyId), essential)
}

/** The specification writes its example of a key in the URL-safe alphabet, and everything else in the standard one. */
export function isSignature(publicKey: string, signature: unknown, essential: string): boolean {
  const key = decodeBase64(publicKey) ?? decodeBase64Url(publicKey)
  const bytes = typeof signature === 'string' ? decodeBase64(signature) : null
  return key !== null && bytes !== null && verify(utf8Bytes(essential), bytes, key)
}
