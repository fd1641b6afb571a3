export type MediaErrorCode =
  | 'M_NOT_FOUND'
  | 'M_TOO_LARGE'
  | 'M_FORBIDDEN'
  | 'M_LIMIT_EXCEEDED'
  | 'M_NOT_YET_UPLOADED'
  | 'M_CANNOT_OVERWRITE_MEDIA'
  | 'M_INVALID_PARAM'
  | 'M_UNKNOWN'

/** A refusal by the media repository. `http` knows the status of each code. */
export class MediaError extends Error {
  readonly code: MediaErrorCode
  readonly fields: Readonly<Record<string, unknown>>
  constructor(code: MediaErrorCode, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'MediaError'
    this.code = code
    this.fields = fields
  }
}
