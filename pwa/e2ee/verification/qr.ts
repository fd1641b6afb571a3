/**
 * The bytes in a verification QR code.
 *
 * Pure. Spec: client-server-api#qr-code-format
 */
import { utf8Bytes } from '#protocol/utf8.ts'
import { E2eeError } from '../errors.ts'

export type QrMode =
  /** Two people. Keys: the shower's master key; what they think the other's is. */
  | 'other-user'
  /** The shower trusts the master key. Keys: the master key; what it thinks the other's device key is. */
  | 'self-trusted'
  /** The shower does not yet. Keys: its device key; what it thinks the master key is. */
  | 'self-untrusted'

export interface QrPayload {
  readonly mode: QrMode
  /** The request's event id or transaction id. */
  readonly flowId: string
  readonly firstKey: Uint8Array
  readonly secondKey: Uint8Array
  readonly secret: Uint8Array
}

/** Proves that the other end saw the code; the specification suggests 8 bytes, 16 cost nothing. */
export const qrSecretBytes = 16

const modes: readonly QrMode[] = ['other-user', 'self-trusted', 'self-untrusted']
const magic = utf8Bytes('MATRIX')
const version = 2
const headerBytes = magic.length + 4
/** The specification suggests about 8; a secret that can be guessed proves nothing. */
const minSecretBytes = 8
/** No QR code holds more. */
const maxBytes = 2953

export function encodeQr({ mode, flowId, firstKey, secondKey, secret }: QrPayload): Uint8Array {
  const id = utf8Bytes(flowId)
  const bytes = new Uint8Array(headerBytes + id.length + 64 + secret.length)
  bytes.set(magic)
  bytes.set([version, modes.indexOf(mode), id.length >> 8, id.length & 0xff], magic.length)
  bytes.set(id, headerBytes)
  bytes.set(firstKey, headerBytes + id.length)
  bytes.set(secondKey, headerBytes + id.length + 32)
  bytes.set(secret, headerBytes + id.length + 64)
  return bytes
}

/** @throws E2eeError QR_MALFORMED, QR_UNKNOWN_VERSION */
export function parseQr(bytes: Uint8Array): QrPayload {
  if (bytes.length < headerBytes || bytes.length > maxBytes || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new E2eeError('QR_MALFORMED', 'this is not a verification code')
  }
  if (bytes[6] !== version)
    throw new E2eeError('QR_UNKNOWN_VERSION', `a verification code of version ${bytes[6]}`)
  const mode = modes[bytes[7]!]
  const idLength = (bytes[8]! << 8) | bytes[9]!
  const keysAt = headerBytes + idLength
  if (!mode || idLength === 0 || bytes.length < keysAt + 64 + minSecretBytes) {
    throw new E2eeError('QR_MALFORMED', 'the verification code is cut off or of an unknown kind')
  }
  let flowId: string
  try {
    flowId = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(headerBytes, keysAt))
  } catch (cause) {
    throw new E2eeError('QR_MALFORMED', 'the id in the verification code is not text', { cause })
  }
  return {
    mode,
    flowId,
    firstKey: bytes.slice(keysAt, keysAt + 32),
    secondKey: bytes.slice(keysAt + 32, keysAt + 64),
    secret: bytes.slice(keysAt + 64),
  }
}
