/**
 * The cryptographic primitives that protocol code is handed; it has none of its own.
 *
 * Node passes `node:crypto`, the browser libsodium. All three are synchronous and never throw for
 * input of the right type: what does not verify is `false`.
 */

/** SHA-256. A string stands for its UTF-8 bytes; both hosts hash one faster than we could encode it. */
export type Sha256 = (message: Uint8Array | string) => Uint8Array

/** Ed25519 over the bytes, with a private key that only the host knows: 64 bytes. */
export type Sign = (bytes: Uint8Array) => Uint8Array

/** Ed25519. Keys and signatures of any length may come in: one of a wrong length does not verify. */
export type Verify = (bytes: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean
