export type SyncErrorCode = 'M_BAD_JSON' | 'M_INVALID_PARAM' | 'M_NOT_FOUND' | 'M_TOO_LARGE'

/** A sync or a filter that cannot be served; `http` knows the status of each code. */
export class SyncError extends Error {
  readonly code: SyncErrorCode
  constructor(code: SyncErrorCode, message: string) {
    super(message)
    this.name = 'SyncError'
    this.code = code
  }
}
