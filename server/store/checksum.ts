/**
 * What stands on disk for a value: crc32(key ‖ value) as six characters, then the value.
 *
 * The key is part of it, so that a value under a damaged key is noticed as well. Six characters of printable
 * ASCII hold the 32 bits without a conversion that costs more than the checksum itself.
 */
import { crc32 } from 'node:zlib'

const prefixLength = 6

export function seal(key: string, text: string): string {
  return prefixOf(crc32(key + text)) + text
}

/** The value, or null where it is not what was written under this key. */
export function unseal(key: string, sealed: string): string | null {
  const text = sealed.slice(prefixLength)
  return sealed.length >= prefixLength && sealed.startsWith(prefixOf(crc32(key + text))) ? text : null
}

/** 32 bits in six characters from '0' (0x30) to 'o' (0x6f): six bits each. */
export function prefixOf(crc: number): string {
  return String.fromCharCode(
    0x30 + (crc >>> 26),
    0x30 + ((crc >>> 20) & 63),
    0x30 + ((crc >>> 14) & 63),
    0x30 + ((crc >>> 8) & 63),
    0x30 + ((crc >>> 2) & 63),
    0x30 + (crc & 3),
  )
}
