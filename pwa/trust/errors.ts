/** Why trust refuses something, with a code that the catalogue has words for. The engine's refusals keep their own. */
export class TrustError extends Error {
  override readonly name = 'TrustError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
