/**
 * Olm messages as bytes. A message is authenticated by its last eight bytes, over all before them; a pre-key message
 * has no MAC of its own, but the one inside covers what matters: other keys give another session.
 *
 * Spec: olm-megolm/olm#normal-messages, #pre-key-messages
 */
import { concat } from './bytes.ts'
import { bytesField, decodeFields, encodeFields, malformed, numberField } from './wire-format.ts'

export const macBytes = 8
/** Largest to-device payload that we look at: a server takes events of 64 KiB, to-device messages a little more. */
export const maxMessageBytes = 256 * 1024

/** What a chain of the ratchet carries. */
export interface NormalMessage {
  readonly ratchetKey: Uint8Array
  readonly chainIndex: number
  readonly ciphertext: Uint8Array
  /** What the MAC covers. */
  readonly authenticated: Uint8Array
  readonly mac: Uint8Array
}

export interface PreKeyMessage {
  readonly oneTimeKey: Uint8Array
  readonly baseKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly message: Uint8Array
}

export function encodeNormalMessage(
  ratchetKey: Uint8Array,
  chainIndex: number,
  ciphertext: Uint8Array,
  mac: (authenticated: Uint8Array) => Uint8Array,
): Uint8Array {
  const authenticated = encodeFields([
    [0x0a, ratchetKey],
    [0x10, chainIndex],
    [0x22, ciphertext],
  ])
  return concat([authenticated, mac(authenticated)])
}

/** @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION */
export function decodeNormalMessage(bytes: Uint8Array): NormalMessage {
  checkSize(bytes)
  const authenticated = bytes.subarray(0, bytes.length - macBytes)
  const fields = decodeFields(authenticated)
  return {
    ratchetKey: bytesField(fields, 0x0a, 'ratchet key', 32),
    chainIndex: numberField(fields, 0x10, 'chain index'),
    ciphertext: bytesField(fields, 0x22, 'ciphertext'),
    authenticated,
    mac: bytes.subarray(bytes.length - macBytes),
  }
}

export function encodePreKeyMessage({
  oneTimeKey,
  baseKey,
  identityKey,
  message,
}: PreKeyMessage): Uint8Array {
  return encodeFields([
    [0x0a, oneTimeKey],
    [0x12, baseKey],
    [0x1a, identityKey],
    [0x22, message],
  ])
}

/** @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION */
export function decodePreKeyMessage(bytes: Uint8Array): PreKeyMessage {
  checkSize(bytes)
  const fields = decodeFields(bytes)
  return {
    oneTimeKey: bytesField(fields, 0x0a, 'one-time key', 32),
    baseKey: bytesField(fields, 0x12, 'base key', 32),
    identityKey: bytesField(fields, 0x1a, 'identity key', 32),
    message: bytesField(fields, 0x22, 'message'),
  }
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= macBytes) throw malformed('a message is cut off')
  if (bytes.length > maxMessageBytes) throw malformed(`a message is larger than ${maxMessageBytes} bytes`)
}
