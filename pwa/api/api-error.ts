/**
 * What goes wrong between us and the server, with a code that the catalogue has words for.
 *
 * `OFFLINE`: no answer came. `TIMED_OUT`: none in time. `BAD_ANSWER`: it is not what the specification says. Else the server's
 * own code (`M_FORBIDDEN`). `CONFIRMATION_NEEDED`: the server wants to know that it is really you; the wish is in `details`. Only the first three, 429 and 5xx are worth another try.
 */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { confirmationNeeded, wishOf } from './interactive-auth.ts'

export class ApiError extends Error {
  readonly code: string
  /** 0: no answer. */
  readonly status: number
  readonly body: JsonObject
  readonly retryAfterMs: number | null

  constructor(
    code: string,
    message: string,
    { status = 0, body = {}, retryAfterMs = null }: ApiErrorDetails = {},
  ) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.status = status
    this.body = body
    this.retryAfterMs = retryAfterMs
  }

  /** What crosses to the page with the code. */
  get details(): JsonObject | undefined {
    return wishOf(this.status, this.body) ?? undefined
  }

  /** May the same request succeed later, with nothing changed by us? */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

interface ApiErrorDetails {
  readonly status?: number
  readonly body?: JsonObject
  readonly retryAfterMs?: number | null
}

/** An answer that is no success. */
export function refusalOf(status: number, body: unknown, retryAfter: string | null): ApiError {
  const object = isObject(body) ? body : {}
  const { errcode, error, retry_after_ms: inBody } = object
  const inHeader = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : null
  const own = typeof errcode === 'string' && errcode !== '' ? errcode.slice(0, 100) : `HTTP_${status}`
  const code = wishOf(status, body) ? confirmationNeeded : own
  const message = typeof error === 'string' ? error.slice(0, 1000) : `the server answered ${status}`
  const retryAfterMs = inHeader ?? (typeof inBody === 'number' ? inBody : null)
  return new ApiError(code, message, { status, body: object, retryAfterMs })
}

export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && error.isPassing
}
