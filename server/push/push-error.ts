/** What push refuses. `http` knows the status of each code. */
export type PushErrorCode =
  | 'M_NOT_FOUND'
  | 'M_UNKNOWN'
  | 'M_TOO_LARGE'
  | 'M_LIMIT_EXCEEDED'
  | 'M_UNKNOWN_TOKEN'

export class PushError extends Error {
  readonly code: PushErrorCode
  constructor(code: PushErrorCode, message: string) {
    super(message)
    this.name = 'PushError'
    this.code = code
  }
}
