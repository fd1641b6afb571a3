/**
 * Why the engine refuses something. The code is for programs and for the catalogue of texts; the message is for a
 * developer's eyes and never holds a key, content or a plaintext.
 */
export class E2eeError extends Error {
  override readonly name = 'E2eeError'
  /** Upper case, a noun and what is wrong with it: `OLM_BAD_MAC`, `MEGOLM_UNKNOWN_INDEX`. */
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
