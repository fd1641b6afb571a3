import type { JsonObject } from '#protocol/json.ts'

/** Why the vault refuses something. The code is for programs and texts; the message never holds a key or content. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  /** Upper case, a noun and what is wrong with it: `WRONG_KEY`, `RECORD_BROKEN`. */
  readonly code: string
  /** What the caller needs to go on: the server's wish for confirmation. */
  readonly details: JsonObject | undefined
  constructor(code: string, message: string, options?: ErrorOptions & { readonly details?: JsonObject }) {
    super(message, options)
    this.code = code
    this.details = options?.details
  }
}

/** What the person is told of the vault without having asked. */
export type VaultWarning =
  /** A record is not what was sealed. It was set aside; its id is known only where somebody asked for it. */
  | { readonly kind: 'broken-record'; readonly store: string; readonly id?: string }
  /** The browser gives no more room. Nothing is written until `resume()` worked. */
  | { readonly kind: 'full' }
  /** The browser closed the storage under us: cleared by hand, or a failing disk. */
  | { readonly kind: 'closed' }
