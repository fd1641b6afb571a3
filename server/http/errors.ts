/**
 * The one place where what was thrown becomes an answer.
 *
 * MatrixError → as it says. An area's own error (a string `code` that is a Matrix errcode) → the status of that
 * code. StoreError → 503. All else → 500 M_UNKNOWN: the client learns nothing, the log gets the stack, never
 * a body, a token or an address.
 *
 * Spec: client-server-api#standard-error-response
 */
import { RequestAborted } from './body.ts'
import type { Log } from './log.ts'
import { MatrixError } from './matrix-error.ts'
import type { Context } from './route.ts'

/** Spec: client-server-api#common-error-codes, #other-error-codes and the endpoints that name more. */
const statusOfCode: Readonly<Record<string, number>> = {
  M_APPSERVICE_LOGIN_UNSUPPORTED: 400,
  M_BAD_ALIAS: 400,
  M_BAD_JSON: 400,
  M_BAD_STATE: 403,
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: 403,
  M_CANNOT_OVERWRITE_MEDIA: 409,
  M_DUPLICATE_ANNOTATION: 400,
  M_EXCLUSIVE: 400,
  M_FORBIDDEN: 403,
  M_GUEST_ACCESS_FORBIDDEN: 403,
  M_INCOMPATIBLE_ROOM_VERSION: 400,
  M_INVALID_PARAM: 400,
  M_INVALID_ROOM_STATE: 400,
  M_INVALID_SIGNATURE: 400,
  M_INVALID_USERNAME: 400,
  M_INVITE_BLOCKED: 403,
  M_KEY_TOO_LARGE: 400,
  M_LIMIT_EXCEEDED: 429,
  M_MISSING_PARAM: 400,
  M_MISSING_TOKEN: 401,
  M_NOT_FOUND: 404,
  M_NOT_JSON: 400,
  M_NOT_YET_UPLOADED: 504,
  M_PROFILE_TOO_LARGE: 400,
  M_RESOURCE_LIMIT_EXCEEDED: 403,
  M_ROOM_IN_USE: 400,
  M_SERVER_NOT_TRUSTED: 400,
  M_THREEPID_AUTH_FAILED: 403,
  M_THREEPID_DENIED: 403,
  M_THREEPID_IN_USE: 400,
  M_THREEPID_MEDIUM_NOT_SUPPORTED: 400,
  M_THREEPID_NOT_FOUND: 400,
  M_TOO_LARGE: 413,
  M_UNABLE_TO_AUTHORISE_JOIN: 400,
  M_UNABLE_TO_GRANT_JOIN: 400,
  M_UNAUTHORIZED: 401,
  M_UNKNOWN: 400,
  M_UNKNOWN_TOKEN: 401,
  M_UNRECOGNIZED: 404,
  M_UNSUPPORTED_ROOM_VERSION: 400,
  M_USER_DEACTIVATED: 403,
  M_USER_IN_USE: 400,
  M_USER_LIMIT_EXCEEDED: 403,
  M_USER_LOCKED: 401,
  M_USER_SUSPENDED: 403,
  M_WEAK_PASSWORD: 400,
  M_WRONG_ROOM_KEYS_VERSION: 403,
}

const storeSentences: Readonly<Record<string, string>> = {
  STORE_UNCERTAIN: 'The server could not save this and is checking its disk. Try again in a moment.',
  STORE_CLOSED: 'The server is stopping. Try again in a moment.',
  STORE_DAMAGED: 'The server found damaged data and is in maintenance until an administrator repairs it.',
  STORE_FULL: 'The server’s disk is full: nothing new can be saved until an administrator makes room.',
  STORE_LOCKED: 'The server’s data is in use by another program.',
}

export function answerError(ctx: Context, error: unknown, log: Log): void {
  if (error instanceof RequestAborted || ctx.req.socket.destroyed) {
    abandon(ctx)
    return
  }
  const refusal = toMatrixError(error)
  if (refusal.status >= 500 && !isOfAnotherServer(error)) logFailure(log, ctx, error)
  writeError(ctx, refusal)
}

export function toMatrixError(error: unknown): MatrixError {
  if (error instanceof MatrixError) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const { code } = error
    const sentence = storeSentences[code]
    if (sentence !== undefined) return new MatrixError(503, 'M_UNKNOWN', sentence)
    const status = statusIn(error) ?? statusOfCode[code]
    if (status !== undefined) return new MatrixError(status, code, error.message, fieldsOf(error))
  }
  return new MatrixError(500, 'M_UNKNOWN', 'The server made an error; its log says which.')
}

export function writeError(ctx: Context, error: MatrixError): void {
  // A body that is still on its way would be read as the next request's beginning, or keep a slow client for ever.
  if (!ctx.req.complete) ctx.set('Connection', 'close')
  if (error.status === 429) ctx.set('Retry-After', retryAfterSeconds(error))
  ctx.status = error.status
  ctx.body = { ...error.fields, errcode: error.errcode, error: error.message }
}

function retryAfterSeconds(error: MatrixError): string {
  const ms = error.fields['retry_after_ms']
  return String(Math.max(1, Math.ceil((typeof ms === 'number' ? ms : 1000) / 1000)))
}

/** What another server answered, or that it did not, where an area says so. */
function statusIn(error: Error): number | undefined {
  return 'status' in error && typeof error.status === 'number' ? error.status : undefined
}

function isOfAnotherServer(error: unknown): boolean {
  return error instanceof Error && !(error instanceof MatrixError) && statusIn(error) !== undefined
}

function fieldsOf(error: Error): Record<string, unknown> {
  return 'fields' in error && typeof error.fields === 'object' && error.fields !== null
    ? { ...error.fields }
    : {}
}

/** Nobody is left to hear an answer. */
function abandon(ctx: Context): void {
  ctx.respond = false
  ctx.res.destroy()
}

function logFailure(log: Log, ctx: Context, error: unknown): void {
  log.error('request failed', {
    method: ctx.method,
    route: ctx.state.route ?? 'none',
    ...describe(error),
  })
}

/** What may stand in a log: class, code and our own stack; of a message only what is surely not content. */
function describe(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const frames = (error.stack ?? '').split('\n').filter(line => line.startsWith('    at '))
  return {
    error: error.name,
    ...(code === undefined ? {} : { code }),
    stack: frames
      .slice(0, 8)
      .map(line => line.trim())
      .join(' | '),
    ...(error.cause === undefined ? {} : { cause: JSON.stringify(describe(error.cause)) }),
  }
}
