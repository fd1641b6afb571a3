/**
 * What two devices of one person tell each other over a link: who they are, under a key that only the two have.
 *
 * `org.letro.device_link`, to-device, in the clear: { version: 1, link_id, from: "new" | "first", device_id, ed25519,
 * master_key, answers?, refused?, mac }, where `answers` is the MAC that is answered and `refused` a code. The MAC is
 *   HMAC-SHA-256(HKDF(key, salt: link_id, info: "org.letro.device-link.v1 " ‖ from, 32), canonical JSON of all other members
 *   and user_id).
 * So the server that carries them can leave them out, and nothing else: it cannot put in a device, a key or an identity
 * of its own, turn a message round, or answer one hello with what was said to another.
 */
import { decodeBase64, encodeBase64 } from '#protocol/base64.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import type { JsonObject } from '#protocol/json.ts'
import { equal, hkdfSha256, hmacSha256, wipe } from '../e2ee/primitives.ts'
import { TrustError } from './errors.ts'

export const linkMessageType = 'org.letro.device_link'

/** The device that comes in, and the one that was there. */
export type LinkEnd = 'new' | 'first'

/** Which link it is, on both ends. */
export interface LinkSecret {
  readonly linkId: string
  readonly key: Uint8Array
  readonly userId: string
}

export interface LinkMessage {
  readonly deviceId: string
  /** Unpadded base64, as the device's keys have it. */
  readonly ed25519Key: string
  /** The identity as this end knows it. */
  readonly masterKey: string
  /** The MAC of the message that this one answers. */
  readonly answers: string | null
  /** Why nothing comes of it. */
  readonly refused: string | null
}

export function writeLinkMessage(secret: LinkSecret, from: LinkEnd, message: LinkMessage): JsonObject {
  const { deviceId, ed25519Key, masterKey, answers, refused } = message
  const members: JsonObject = {
    version: 1,
    link_id: secret.linkId,
    from,
    device_id: deviceId,
    ed25519: ed25519Key,
    master_key: masterKey,
    ...(answers !== null && { answers }),
    ...(refused !== null && { refused }),
  }
  return { ...members, mac: encodeBase64(macOf(secret, from, members)) }
}

/** @throws TrustError LINK_MALFORMED, LINK_BAD_MAC: somebody else's, or changed on its way */
export function readLinkMessage(secret: LinkSecret, from: LinkEnd, content: JsonObject): LinkMessage {
  const { mac, ...members } = content
  const bytes = typeof mac === 'string' ? decodeBase64(mac) : null
  if (
    members['version'] !== 1 ||
    members['link_id'] !== secret.linkId ||
    members['from'] !== from ||
    !bytes
  ) {
    throw new TrustError('LINK_MALFORMED', 'not a message of this link, or of a version that we do not know')
  }
  if (!equal(bytes, macOf(secret, from, members))) {
    throw new TrustError(
      'LINK_BAD_MAC',
      'a message of a link was not made by the device that shows or read its code',
    )
  }
  const { device_id: deviceId, ed25519, master_key: masterKey, answers = null, refused = null } = members
  if (typeof deviceId !== 'string' || typeof ed25519 !== 'string' || typeof masterKey !== 'string') {
    throw new TrustError('LINK_MALFORMED', 'a message of a link lacks a member')
  }
  return {
    deviceId,
    ed25519Key: ed25519,
    masterKey,
    answers: typeof answers === 'string' ? answers : null,
    refused: typeof refused === 'string' ? refused : null,
  }
}

function macOf({ key, linkId, userId }: LinkSecret, from: LinkEnd, members: JsonObject): Uint8Array {
  const macKey = hkdfSha256(key, new TextEncoder().encode(linkId), `org.letro.device-link.v1 ${from}`, 32)
  const mac = hmacSha256(macKey, canonicalJson({ ...members, user_id: userId }))
  wipe(macKey)
  return mac
}
