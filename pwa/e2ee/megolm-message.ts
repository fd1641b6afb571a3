/**
 * Megolm messages and session keys as bytes.
 *
 * Spec: olm-megolm/megolm#message-format, #session-sharing-format, #session-export-format
 */

import { concat } from './bytes.ts'
import { E2eeError } from './errors.ts'
import { type MegolmRatchet, ratchetBytes } from './megolm-ratchet.ts'
import { macBytes } from './olm-message.ts'
import { ed25519Verify } from './primitives.ts'
import { bytesField, decodeFields, encodeFields, malformed, numberField } from './wire-format.ts'

const signatureBytes = 64
/** A whole event has at most 64 KiB; the ciphertext stands in it as base64. */
const maxMessageBytes = 64 * 1024

export interface MegolmMessage {
  readonly index: number
  readonly ciphertext: Uint8Array
  /** What the MAC covers. */
  readonly authenticated: Uint8Array
  readonly mac: Uint8Array
  /** What the signature covers: the message with its MAC. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

export function encodeMegolmMessage(
  index: number,
  ciphertext: Uint8Array,
  mac: (authenticated: Uint8Array) => Uint8Array,
  sign: (signed: Uint8Array) => Uint8Array,
): Uint8Array {
  const authenticated = encodeFields([
    [0x08, index],
    [0x12, ciphertext],
  ])
  const signed = concat([authenticated, mac(authenticated)])
  return concat([signed, sign(signed)])
}

/** @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION */
export function decodeMegolmMessage(bytes: Uint8Array): MegolmMessage {
  if (bytes.length > maxMessageBytes) throw malformed(`a message is larger than ${maxMessageBytes} bytes`)
  const signedEnd = bytes.length - signatureBytes
  const authenticatedEnd = signedEnd - macBytes
  if (authenticatedEnd <= 0) throw malformed('a message is cut off')
  const authenticated = bytes.subarray(0, authenticatedEnd)
  const fields = decodeFields(authenticated)
  return {
    index: numberField(fields, 0x08, 'message index'),
    ciphertext: bytesField(fields, 0x12, 'ciphertext'),
    authenticated,
    mac: bytes.subarray(authenticatedEnd, signedEnd),
    signed: bytes.subarray(0, signedEnd),
    signature: bytes.subarray(signedEnd),
  }
}

/** What opens a session's messages from an index on. */
export interface SessionKey {
  readonly ratchet: MegolmRatchet
  readonly signingKey: Uint8Array
}

const sharedVersion = 2
const exportedVersion = 1
const keyBytes = 1 + 4 + ratchetBytes + 32

/** As `m.room_key` carries it: signed by the session's own key. */
export function encodeSharedKey(key: SessionKey, sign: (signed: Uint8Array) => Uint8Array): Uint8Array {
  const signed = encodeKey(sharedVersion, key)
  return concat([signed, sign(signed)])
}

/** As exports, backups and forwarded keys carry it. */
export function encodeExportedKey(key: SessionKey): Uint8Array {
  return encodeKey(exportedVersion, key)
}

/** @throws E2eeError BAD_SESSION_KEY */
export function decodeSharedKey(bytes: Uint8Array): SessionKey {
  const key = decodeKey(bytes, sharedVersion, keyBytes + signatureBytes)
  const signature = bytes.subarray(keyBytes)
  if (!ed25519Verify(bytes.subarray(0, keyBytes), signature, key.signingKey)) {
    throw new E2eeError('BAD_SESSION_KEY', 'a Megolm session key is not signed by its session')
  }
  return key
}

/** @throws E2eeError BAD_SESSION_KEY */
export function decodeExportedKey(bytes: Uint8Array): SessionKey {
  return decodeKey(bytes, exportedVersion, keyBytes)
}

function encodeKey(version: number, { ratchet, signingKey }: SessionKey): Uint8Array {
  const head = new Uint8Array(5)
  head[0] = version
  new DataView(head.buffer).setUint32(1, ratchet.index)
  return concat([head, ratchet.bytes, signingKey])
}

function decodeKey(bytes: Uint8Array, version: number, length: number): SessionKey {
  if (bytes.length !== length || bytes[0] !== version) {
    throw new E2eeError(
      'BAD_SESSION_KEY',
      `a Megolm session key is not ${length} bytes of version ${version}`,
    )
  }
  const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  return {
    ratchet: { bytes: bytes.slice(5, 5 + ratchetBytes), index },
    signingKey: bytes.slice(5 + ratchetBytes, keyBytes),
  }
}
