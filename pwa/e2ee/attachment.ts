/**
 * Encrypted files: AES-CTR under a key of their own, which travels in the encrypted event beside a hash of the
 * ciphertext. Nothing is ever held whole: 100 MB pass through in pieces of 64 KiB.
 *
 * Spec: client-server-api#sending-encrypted-attachments
 */
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '#protocol/base64.ts'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { E2eeError } from './errors.ts'
import { aesCtr, equal, sha256Hasher } from './primitives.ts'

/** A multiple of the cipher's 16 bytes. */
const pieceBytes = 64 * 1024

export interface EncryptingFile {
  /** Bytes in, ciphertext out. */
  readonly stream: TransformStream<Uint8Array, Uint8Array>
  /** Once the stream has ended: the members of `EncryptedFile` without `url`. */
  info(): JsonObject
}

export function encryptAttachment(randomBytes: (size: number) => Uint8Array): EncryptingFile {
  const key = randomBytes(32)
  // The lower half counts blocks, from zero: no two blocks of any file below 2⁶⁸ bytes share a counter.
  const iv = new Uint8Array(16)
  iv.set(randomBytes(8))
  const hasher = sha256Hasher()
  let hash: Uint8Array | undefined
  const stream = inPieces(
    async (piece, blocks) => {
      const ciphertext = await aesCtr(key, counterAt(iv, blocks), 64, piece)
      hasher.update(ciphertext)
      return ciphertext
    },
    () => {
      hash = hasher.digest()
    },
  )
  return {
    stream,
    info() {
      if (!hash) throw new TypeError('the file is not encrypted to its end yet')
      return {
        v: 'v2',
        key: {
          kty: 'oct',
          key_ops: ['encrypt', 'decrypt'],
          alg: 'A256CTR',
          k: encodeBase64Url(key),
          ext: true,
        },
        iv: encodeBase64(iv),
        hashes: { sha256: encodeBase64(hash) },
      }
    },
  }
}

/**
 * Ciphertext in, bytes out. The hash is known at the end only: whoever takes the bytes must throw them away when the
 * stream fails, with ATTACHMENT_WRONG_HASH. All but the last piece will have passed by then.
 *
 * @param maxBytes of the ciphertext: more fails with ATTACHMENT_TOO_LARGE
 * @throws E2eeError ATTACHMENT_MALFORMED for an `EncryptedFile` that is not one
 */
export function decryptAttachment(info: unknown, maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  const { key, iv, hash } = parseInfo(info)
  const hasher = sha256Hasher()
  let size = 0
  return inPieces(
    async (piece, blocks, isLast) => {
      size += piece.length
      if (size > maxBytes) throw new E2eeError('ATTACHMENT_TOO_LARGE', `more than ${maxBytes} bytes`)
      hasher.update(piece)
      if (isLast) checkHash(hasher.digest(), hash)
      return aesCtr(key, counterAt(iv, blocks), 64, piece)
    },
    wasEmpty => {
      if (wasEmpty) checkHash(hasher.digest(), hash)
    },
  )
}

function checkHash(actual: Uint8Array, expected: Uint8Array): void {
  if (!equal(actual, expected)) {
    throw new E2eeError('ATTACHMENT_WRONG_HASH', 'the file is not the one that was sent')
  }
}

function parseInfo(info: unknown): { key: Uint8Array; iv: Uint8Array; hash: Uint8Array } {
  const jwk = isObject(info) ? info['key'] : undefined
  const hashes = isObject(info) ? info['hashes'] : undefined
  if (!isObject(info) || !isObject(jwk) || !isObject(hashes)) throw malformed('key or hashes is missing')
  if (info['v'] !== 'v2' || jwk['alg'] !== 'A256CTR' || jwk['kty'] !== 'oct') {
    throw malformed('v or the algorithm is unknown')
  }
  const key = typeof jwk['k'] === 'string' ? decodeBase64Url(jwk['k']) : null
  const iv = typeof info['iv'] === 'string' ? decodeBase64(info['iv']) : null
  const hash = typeof hashes['sha256'] === 'string' ? decodeBase64(hashes['sha256']) : null
  if (key?.length !== 32 || iv?.length !== 16 || hash?.length !== 32) {
    throw malformed('key, iv or hash has a wrong length')
  }
  return { key, iv, hash }
}

function malformed(message: string): E2eeError {
  return new E2eeError('ATTACHMENT_MALFORMED', message)
}

/** The counter block so many blocks on; only the lower 64 bits count (`A256CTR` as browsers and other clients use it). */
function counterAt(iv: Uint8Array, blocks: number): Uint8Array {
  const counter = iv.slice()
  const view = new DataView(counter.buffer)
  view.setBigUint64(8, BigInt.asUintN(64, view.getBigUint64(8) + BigInt(blocks)))
  return counter
}

/** Cuts what comes into pieces, each in the same memory: `transform` gives out other bytes. `blocks` is how many of 16 bytes came before. The last one may be shorter. */
function inPieces(
  transform: (piece: Uint8Array, blocks: number, isLast: boolean) => Promise<Uint8Array>,
  end: (wasEmpty: boolean) => void,
): TransformStream<Uint8Array, Uint8Array> {
  const held = new Uint8Array(pieceBytes)
  let size = 0
  let blocks = 0
  const pass = async (controller: TransformStreamDefaultController<Uint8Array>, isLast: boolean) => {
    controller.enqueue(await transform(held.subarray(0, size), blocks, isLast))
    blocks += Math.ceil(size / 16)
    size = 0
  }
  return new TransformStream({
    async transform(chunk, controller) {
      for (let at = 0; at < chunk.length; ) {
        // A full piece is kept until more comes: the last one is told that it is.
        if (size === pieceBytes) await pass(controller, false)
        const taken = Math.min(pieceBytes - size, chunk.length - at)
        held.set(chunk.subarray(at, at + taken), size)
        size += taken
        at += taken
      }
    },
    async flush(controller) {
      const wasEmpty = size === 0
      if (!wasEmpty) await pass(controller, true)
      end(wasEmpty)
    },
  })
}
