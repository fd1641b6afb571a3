/**
 * What stands on disk for a value: crc32(key ‖ value) as six printable characters, then the value.
 *
 * The key is part of it, so that a value under a damaged key is noticed as well.
 */
import { crc32 } from 'node:zlib'

const prefixLength = 6

export function checksum(key: string, text: string): number {
  return crc32(key + text)
}

export function seal(crc: number, text: string): string {
  return prefixOf(crc) + text
}

/** The value, or null where it is not what was written under this key. */
export function unseal(key: string, sealed: string): string | null {
  const text = sealed.slice(prefixLength)
  return sealed.length >= prefixLength && sealed.startsWith(prefixOf(checksum(key, text))) ? text : null
}

/** Six bits each, on top of 0x30; the last one has two. */
function prefixOf(crc: number): string {
  return String.fromCharCode(
    0x30 + (crc >>> 26),
    0x30 + ((crc >>> 20) & 63),
    0x30 + ((crc >>> 14) & 63),
    0x30 + ((crc >>> 8) & 63),
    0x30 + ((crc >>> 2) & 63),
    0x30 + (crc & 3),
  )
}
