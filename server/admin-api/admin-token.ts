/**
 * The administration token for automation: a file names a bearer token. Off unless `admin.token_file` is set, and
 * warned about at start: who can read the file is an administrator without a passkey.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

export interface BearerToken {
  matches(token: string): boolean
}

export interface FileToken extends BearerToken {
  /** Other users of this machine can read the file. */
  readonly isOpen: boolean
}

export interface AdminToken extends FileToken {
  /** What to say at start. */
  readonly warnings: readonly string[]
}

const shortest = 32

/** Throws with a sentence for the operator where the file will not do. */
export function readAdminToken(file: string): AdminToken {
  const token = readTokenFile('admin.token_file', file)
  return {
    ...token,
    warnings: [
      'admin.token_file is set: whoever can read that file administers this server without a passkey.',
      ...(token.isOpen ? ['admin.token_file can be read by other users of this machine (chmod 600).'] : []),
    ],
  }
}

/** @param key of the configuration. Throws with a sentence for the operator where the file will not do. */
export function readTokenFile(key: string, file: string): FileToken {
  const token = readFileSync(file, 'utf8').trim()
  if (token.length < shortest || !/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${key}: ${file} must hold one token of at least ${shortest} visible characters.`)
  return { ...tokenOf(hash('sha256', token, 'buffer')), isOpen: (statSync(file).mode & 0o077) !== 0 }
}

/** @param expected the SHA-256 of it */
export function tokenOf(expected: Uint8Array): BearerToken {
  // Hashes are equally long, so that neither length nor content shows in the time it takes.
  return { matches: shown => timingSafeEqual(hash('sha256', shown, 'buffer'), expected) }
}
