/**
 * The Megolm ratchet: four parts of 32 bytes; the state at an index gives every later one, and none before.
 *
 * A ratchet is a value. Getting to any index takes at most 1,020 hashes, wherever it stands.
 * Spec: olm-megolm/megolm#advancing-the-ratchet
 */
import { hmacSha256 } from './primitives.ts'

export const ratchetBytes = 128
const partBytes = 32
const seeds = [0, 1, 2, 3].map(part => Uint8Array.of(part))

export interface MegolmRatchet {
  readonly bytes: Uint8Array
  readonly index: number
}

/** The ratchet at a later index, or as it is. @throws RangeError for an earlier one: nobody can go back */
export function advanceTo(ratchet: MegolmRatchet, index: number): MegolmRatchet {
  if (index === ratchet.index) return ratchet
  if (index < ratchet.index || index > 0xffff_ffff) throw new RangeError('a Megolm ratchet only goes on')
  const bytes = ratchet.bytes.slice()
  let at = ratchet.index
  for (let part = 0; part < 4; part++) {
    const span = 2 ** ((3 - part) * 8)
    let steps = Math.floor(index / span) - Math.floor(at / span)
    if (steps === 0) continue
    // All steps but the last touch this part alone: what they would make of the later parts is overwritten.
    for (; steps > 1; steps--) rehash(bytes, part, part)
    for (let later = 3; later >= part; later--) rehash(bytes, part, later)
    at = Math.floor(index / span) * span
  }
  return { bytes, index }
}

/** part `to` becomes the hash of part `from`. */
function rehash(bytes: Uint8Array, from: number, to: number): void {
  const source = bytes.subarray(from * partBytes, (from + 1) * partBytes)
  bytes.set(hmacSha256(source, seeds[to]!), to * partBytes)
}
