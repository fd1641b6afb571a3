/** A refusal by accounts. `http` knows the status of each code. */
export type AccountErrorCode =
  | 'M_FORBIDDEN'
  | 'M_NOT_FOUND'
  | 'M_INVALID_PARAM'
  | 'M_BAD_JSON'
  | 'M_UNKNOWN_TOKEN'
  | 'M_USER_IN_USE'
  | 'M_INVALID_USERNAME'
  | 'M_USER_DEACTIVATED'
  | 'M_USER_LOCKED'
  | 'M_WEAK_PASSWORD'
  | 'M_PROFILE_TOO_LARGE'
  | 'M_KEY_TOO_LARGE'
  | 'M_TOO_LARGE'
  | 'M_LIMIT_EXCEEDED'
  | 'M_BAD_STATE'

export class AccountError extends Error {
  readonly code: AccountErrorCode
  readonly fields: Readonly<Record<string, unknown>>
  constructor(
    code: AccountErrorCode,
    message: string,
    fields: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'AccountError'
    this.code = code
    this.fields = fields
  }
}
