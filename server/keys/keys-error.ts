/** A refusal by the key directory. `http` knows the status of each code. */
export type KeysErrorCode =
  | 'M_BAD_JSON'
  | 'M_FORBIDDEN'
  | 'M_INVALID_PARAM'
  | 'M_INVALID_SIGNATURE'
  | 'M_MISSING_PARAM'
  | 'M_NOT_FOUND'
  | 'M_TOO_LARGE'
  | 'M_WRONG_ROOM_KEYS_VERSION'

export class KeysError extends Error {
  readonly code: KeysErrorCode
  /** What stands beside `errcode` and `error` in the answer. */
  readonly fields: Readonly<Record<string, string>>
  constructor(
    code: KeysErrorCode,
    message: string,
    fields: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'KeysError'
    this.code = code
    this.fields = fields
  }
}
