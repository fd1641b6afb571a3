/** A record as bytes, before it is sealed: what kind it is, its id, and its value. The format is the README's. */
import { isObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { VaultError } from './errors.ts'
import type { VaultValue } from './records.ts'

const json = 0
const bytes = 1

export interface Framed {
  readonly id: string
  readonly value: VaultValue
}

/** kind (1) ‖ length of the id (2, big-endian) ‖ id ‖ JSON or bytes */
export function frame(id: string, value: VaultValue): Uint8Array {
  const idBytes = utf8Bytes(id)
  if (idBytes.length > 0xffff)
    throw new VaultError('ID_TOO_LONG', 'the id of a record has at most 65,535 bytes')
  const payload = value instanceof Uint8Array ? value : utf8Bytes(JSON.stringify(value))
  const framed = new Uint8Array(3 + idBytes.length + payload.length)
  framed[0] = value instanceof Uint8Array ? bytes : json
  framed[1] = idBytes.length >> 8
  framed[2] = idBytes.length & 0xff
  framed.set(idBytes, 3)
  framed.set(payload, 3 + idBytes.length)
  return framed
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Null only where an other writer of this format erred: the seal was whole. */
export function unframe(framed: Uint8Array): Framed | null {
  const start = 3 + ((framed[1] ?? 0) << 8) + (framed[2] ?? 0)
  if (framed.length < start) return null
  const id = decoder.decode(framed.subarray(3, start))
  if (framed[0] === bytes) return { id, value: framed.slice(start) }
  if (framed[0] !== json) return null
  try {
    const value: unknown = JSON.parse(decoder.decode(framed.subarray(start)))
    return isObject(value) ? { id, value } : null
  } catch {
    return null
  }
}
