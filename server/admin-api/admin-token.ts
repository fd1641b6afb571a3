/**
 * The administration token for automation: a file names a bearer token. Off unless `admin.token_file` is set, and
 * warned about at start: who can read the file is an administrator without a passkey.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

export interface AdminToken {
  matches(token: string): boolean
  /** What to say at start. */
  readonly warnings: readonly string[]
}

const shortest = 32

/** Throws with a sentence for the operator where the file will not do. */
export function readAdminToken(file: string): AdminToken {
  const token = readFileSync(file, 'utf8').trim()
  if (token.length < shortest || !/^[\x21-\x7e]+$/.test(token))
    throw new Error(
      `admin.token_file: ${file} must hold one token of at least ${shortest} visible characters.`,
    )
  const others = statSync(file).mode & 0o077
  const expected = hash('sha256', token, 'buffer')
  return {
    // Hashes are equally long, so that neither length nor content shows in the time it takes.
    matches: shown => timingSafeEqual(hash('sha256', shown, 'buffer'), expected),
    warnings: [
      'admin.token_file is set: whoever can read that file administers this server without a passkey.',
      ...(others === 0 ? [] : ['admin.token_file can be read by other users of this machine (chmod 600).']),
    ],
  }
}
