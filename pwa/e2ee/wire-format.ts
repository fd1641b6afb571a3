/**
 * The bytes of Olm and Megolm messages: a version, then tagged fields as protobuf writes them.
 *
 * Reads what may come from anybody: a field that is missing, twice, cut off or too long is refused, one that we do
 * not know is stepped over, as the specification asks. Spec: olm-megolm/olm#message-format
 */
import { concat } from './bytes.ts'
import { E2eeError } from './errors.ts'

export const messageVersion = 3

/** Tag → value: bytes for odd wire types of strings, numbers for integers. */
export type Field = readonly [tag: number, value: Uint8Array | number]

export function encodeFields(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(messageVersion)]
  for (const [tag, value] of fields) {
    parts.push(Uint8Array.of(tag))
    if (typeof value === 'number') parts.push(varint(value))
    else parts.push(varint(value.length), value)
  }
  return concat(parts)
}

/** The fields of a message without its trailer. @throws E2eeError BAD_MESSAGE_FORMAT, BAD_MESSAGE_VERSION */
export function decodeFields(bytes: Uint8Array): ReadonlyMap<number, Uint8Array | number> {
  if (bytes.length === 0) throw malformed('a message is empty')
  if (bytes[0] !== messageVersion) {
    throw new E2eeError('BAD_MESSAGE_VERSION', `a message has version ${bytes[0]}, not ${messageVersion}`)
  }
  const fields = new Map<number, Uint8Array | number>()
  let at = 1
  const readVarint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined || shift > 28) throw malformed('a number is cut off or too large')
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    if (value > 0xffff_ffff) throw malformed('a number has more than 32 bits')
    return value
  }
  while (at < bytes.length) {
    const tag = readVarint()
    if (fields.has(tag)) throw malformed(`the field ${tag} is there twice`)
    // The lowest three bits say how long the value is: 0, an integer; 2, so many bytes.
    if ((tag & 7) === 0) fields.set(tag, readVarint())
    else if ((tag & 7) === 2) {
      const length = readVarint()
      if (at + length > bytes.length) throw malformed('a field is cut off')
      fields.set(tag, bytes.subarray(at, at + length))
      at += length
    } else throw malformed(`the field ${tag} is of an unknown kind`)
  }
  return fields
}

/** The field as bytes of the message itself; a copy of exactly `length` where one is given. */
export function bytesField(
  fields: ReadonlyMap<number, Uint8Array | number>,
  tag: number,
  name: string,
  length?: number,
): Uint8Array {
  const value = fields.get(tag)
  if (!(value instanceof Uint8Array)) throw malformed(`${name} is missing`)
  if (length === undefined) return value
  if (value.length !== length) throw malformed(`${name} has not ${length} bytes`)
  return value.slice()
}

export function numberField(
  fields: ReadonlyMap<number, Uint8Array | number>,
  tag: number,
  name: string,
): number {
  const value = fields.get(tag)
  if (typeof value !== 'number') throw malformed(`${name} is missing`)
  return value
}

export function malformed(message: string): E2eeError {
  return new E2eeError('BAD_MESSAGE_FORMAT', message)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
