/**
 * Signatures of events: over what redaction cannot remove, so that they outlive the content.
 *
 * Spec: server-server-api#signing-events
 */
import type { Pdu } from './event.ts'
import { contentHash, signedText } from './event-hash.ts'
import { parseUserId, type ServerName, serverOf } from './ids.ts'
import { isObject, type JsonObject, memberOf } from './json.ts'
import type { Sha256, Sign, Verify } from './primitives.ts'
import type { RoomRules } from './room-versions.ts'
import {
  checkSignedBytes,
  type KeyId,
  type PublicKeys,
  type SignatureCheck,
  withSignature,
} from './signing.ts'
import { utf8Bytes } from './utf8.ts'

/** Before signing, and before the id is known: both cover the hash. */
export function withContentHash<E extends JsonObject>(
  event: E,
  sha256: Sha256,
): E & { readonly hashes: { readonly sha256: string } } {
  return { ...event, hashes: { sha256: contentHash(event, sha256) } }
}

export function signEvent<E extends JsonObject>(
  event: E,
  rules: RoomRules,
  server: ServerName,
  keyId: KeyId,
  sign: Sign,
): ReturnType<typeof withSignature<E>> {
  return withSignature(event, server, keyId, sign(utf8Bytes(signedText(event, rules))))
}

/** Holds for the full event and for its redacted copy alike. */
export function checkEventSignature(
  event: JsonObject,
  rules: RoomRules,
  server: ServerName,
  keys: PublicKeys,
  verify: Verify,
): SignatureCheck {
  const bytes = () => utf8Bytes(signedText(event, rules))
  return checkSignedBytes(bytes, event['signatures'], server, keys, verify)
}

/**
 * The servers whose signature the event must bear.
 *
 * Spec: server-server-api#validating-hashes-and-signatures-on-received-events, and
 * rooms/v12#authorization-rules (5.2.1), rooms/v11#authorization-rules (4.2.1): the server that lets somebody
 * into a restricted room vouches for it.
 */
export function requiredSigners(pdu: Pdu): readonly ServerName[] {
  const signers = new Set<ServerName>()
  if (!isThirdPartyInvite(pdu)) signers.add(serverOf(pdu.sender))
  if (pdu.type === 'm.room.member') {
    const authoriser = parseUserId(memberOf(pdu.content, 'join_authorised_via_users_server'))
    if (authoriser) signers.add(serverOf(authoriser))
  }
  return [...signers]
}

/** Such an invite is vouched for by the identity server's signature inside it; who sends it may be another server. */
function isThirdPartyInvite(pdu: Pdu): boolean {
  return (
    pdu.type === 'm.room.member' &&
    pdu.content['membership'] === 'invite' &&
    isObject(memberOf(pdu.content, 'third_party_invite'))
  )
}
