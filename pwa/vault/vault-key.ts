/**
 * The vault key: 32 random bytes that everything at rest hangs on, and the ways to get at them.
 *
 * A *wrap* is the vault key sealed under one way in: a passkey's PRF output, the recovery key, a device passphrase.
 * Ways in come and go without touching what the vault holds. The key itself never leaves this file; the stores get
 * subkeys by name.
 *
 * What a wrap says about itself (kind, credential, salt, Argon2id parameters) is associated data: whoever writes to
 * the disk can take a wrap away but cannot weaken or exchange one.
 */
import { canonicalJson } from '#protocol/canonical-json.ts'
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import {
  argon2id,
  decodeSecret,
  encodeSecret,
  hkdfSha256,
  open,
  randomBytes,
  seal,
  wipe,
} from '../e2ee/primitives.ts'
import { VaultError } from './errors.ts'

/** A way in, with its secret. Secrets handed over are the caller's to wipe. */
export type Opener =
  | { readonly kind: 'passkey'; readonly credentialId: string; readonly prfOutput: Uint8Array }
  | { readonly kind: 'recovery-key'; readonly recoveryKey: Uint8Array }
  | { readonly kind: 'passphrase'; readonly passphrase: string }

/** A way in, as stored. */
export type Wrap = { readonly id: string; readonly salt: string; readonly wrapped: string } & WrapKind
type WrapKind =
  | { readonly kind: 'passkey'; readonly credentialId: string }
  | { readonly kind: 'recovery-key' }
  | { readonly kind: 'passphrase'; readonly operations: number; readonly memoryBytes: number }

/** Argon2id as RFC 9106, section 4 advises for machines that are short of memory: phones open this too. */
const operations = 3
const memoryBytes = 64 * 1024 * 1024
/** More than we will ever write: a forged header must not take the memory of the machine. */
const maxOperations = 16
const maxMemoryBytes = 512 * 1024 * 1024

/** The disk can be guessed at for ever, without a server that counts. */
export const minPassphraseLength = 10
/** A cap, so that a pasted file is not hashed. */
const maxPassphraseLength = 1024
export const recoveryKeyBytes = 32

export class VaultKey {
  readonly #key: Uint8Array
  #gone = false

  /** Takes the bytes over. */
  private constructor(key: Uint8Array) {
    this.#key = key
  }

  static create(): VaultKey {
    return new VaultKey(randomBytes(32))
  }

  /** @throws VaultError WRONG_KEY where the secret is another one, NO_SUCH_WAY_IN where none of this kind was set up */
  static unwrap(wraps: readonly Wrap[], opener: Opener): VaultKey {
    const candidates = wraps.filter(wrap => isFor(wrap, opener))
    if (candidates.length === 0)
      throw new VaultError('NO_SUCH_WAY_IN', `this vault has no ${opener.kind} like this one`)
    for (const wrap of candidates) {
      const { wrapped, ...facts } = wrap
      const wrappingKey = deriveWrappingKey(opener, facts)
      const key = open(wrappingKey, decodeSecret(wrapped) ?? new Uint8Array(), associatedData(facts))
      wipe(wrappingKey)
      if (key) return new VaultKey(key)
    }
    throw new VaultError('WRONG_KEY', `the ${opener.kind} does not open this vault`)
  }

  wrap(opener: Opener): Wrap {
    checkOpener(opener)
    const named = { id: encodeSecret(randomBytes(9)), salt: encodeSecret(randomBytes(16)) }
    const facts = { ...named, ...kindOf(opener) }
    const wrappingKey = deriveWrappingKey(opener, facts)
    const wrapped = encodeSecret(seal(wrappingKey, this.#bytes(), associatedData(facts)))
    wipe(wrappingKey)
    return { ...facts, wrapped }
  }

  /** 32 bytes for one purpose; the caller wipes them. */
  subkey(name: string): Uint8Array {
    return hkdfSha256(this.#bytes(), new Uint8Array(), `org.letro.vault.v1 subkey ${name}`, 32)
  }

  wipe(): void {
    wipe(this.#key)
    this.#gone = true
  }

  #bytes(): Uint8Array {
    if (this.#gone) throw new VaultError('VAULT_LOCKED', 'the vault is locked')
    return this.#key
  }
}

/** A stored wrap as it came from the disk, or null where it is none of ours. */
export function parseWrap(stored: unknown): Wrap | null {
  if (!isObject(stored)) return null
  const { id, salt, wrapped, kind } = stored
  if (typeof id !== 'string' || typeof wrapped !== 'string') return null
  if (typeof salt !== 'string' || decodeSecret(salt)?.length !== 16) return null
  const named = { id, salt, wrapped }
  if (kind === 'recovery-key') return { ...named, kind }
  if (kind === 'passkey') {
    const { credentialId } = stored
    return typeof credentialId === 'string' ? { ...named, kind, credentialId } : null
  }
  if (kind !== 'passphrase') return null
  const { operations, memoryBytes } = stored
  if (!isBetween(operations, 1, maxOperations)) return null
  if (!isBetween(memoryBytes, 8192, maxMemoryBytes)) return null
  return { ...named, kind, operations, memoryBytes }
}

/** Throws before anything is made of a secret that would be too weak, or is no such secret at all. */
function checkOpener(opener: Opener): void {
  if (opener.kind === 'passkey' && opener.prfOutput.length !== 32)
    throw new VaultError('BAD_PRF_OUTPUT', 'the PRF output of a passkey has 32 bytes')
  if (opener.kind === 'recovery-key' && opener.recoveryKey.length !== recoveryKeyBytes)
    throw new VaultError('BAD_RECOVERY_KEY', `a recovery key has ${recoveryKeyBytes} bytes`)
  if (opener.kind === 'passphrase') checkPassphrase(opener.passphrase)
}

export function checkPassphrase(passphrase: string): void {
  const { length } = [...normalised(passphrase)]
  if (length < minPassphraseLength)
    throw new VaultError(
      'PASSPHRASE_TOO_SHORT',
      `a passphrase has at least ${minPassphraseLength} characters`,
    )
  if (length > maxPassphraseLength)
    throw new VaultError('PASSPHRASE_TOO_LONG', `a passphrase has at most ${maxPassphraseLength} characters`)
}

/** RFC 8265, section 4.2: the same text from two keyboards is the same passphrase. */
export function normalised(passphrase: string): string {
  return passphrase.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

function kindOf(opener: Opener): WrapKind {
  switch (opener.kind) {
    case 'passkey':
      return { kind: 'passkey', credentialId: opener.credentialId }
    case 'recovery-key':
      return { kind: 'recovery-key' }
    case 'passphrase':
      return { kind: 'passphrase', operations, memoryBytes }
    default:
      return opener satisfies never
  }
}

function isFor(wrap: Wrap, opener: Opener): boolean {
  if (opener.kind === 'passkey') return wrap.kind === 'passkey' && wrap.credentialId === opener.credentialId
  return wrap.kind === opener.kind
}

function deriveWrappingKey(opener: Opener, facts: WrapKind & { readonly salt: string }): Uint8Array {
  const salt = decodeSecret(facts.salt) ?? new Uint8Array()
  const secret = secretOf(opener, facts, salt)
  const key = hkdfSha256(secret, salt, `org.letro.vault.v1 wrap ${opener.kind}`, 32)
  if (opener.kind === 'passphrase') wipe(secret)
  return key
}

function secretOf(opener: Opener, facts: WrapKind, salt: Uint8Array): Uint8Array {
  if (opener.kind === 'passkey') return opener.prfOutput
  if (opener.kind === 'recovery-key') return opener.recoveryKey
  if (facts.kind !== 'passphrase') throw new TypeError('a passphrase opens only what a passphrase closed')
  return argon2id(normalised(opener.passphrase), salt, facts.operations, facts.memoryBytes)
}

function associatedData(facts: Omit<Wrap, 'wrapped'>): Uint8Array {
  return utf8Bytes(`org.letro.vault.v1 wrap ${canonicalJson(facts as unknown as Json)}`)
}

function isBetween(value: JsonObject[string], min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}
