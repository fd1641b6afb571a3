/**
 * Requests to the homeserver, with the session's access token.
 *
 * A token that ran out is refreshed once for all who wait (client-server-api#refreshing-access-tokens) and the request made
 * again. A session that the server ended is told once: `revoked` where this device was signed out by somebody, `expired`
 * where only signing in again is asked for. Nothing here retries anything else: who asks knows what may be asked twice.
 */
import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { ApiError, refusalOf } from './api-error.ts'

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** When the access token ends, in our clock; null: it does not say. */
  readonly expiresTs: number | null
}

export interface HttpOptions {
  /** Scheme, host, port. */
  readonly origin: string
  readonly tokens: Tokens
  /** Whose they are. */
  readonly userId: string
  readonly deviceId: string
  /** Durable on return: the old refresh token opens nothing any more. */
  readonly keepTokens: (tokens: Tokens) => Promise<void>
  readonly onEnded: (why: 'revoked' | 'expired') => void
  readonly clock: () => number
  readonly fetch?: typeof fetch
}

export interface RequestOptions {
  readonly body?: JsonObject
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export const v3 = '/_matrix/client/v3'
export const v1 = '/_matrix/client/v1'
export const letro = '/_letro/client/v1'

const defaultTimeoutMs = 30_000
/** A token that ends within this is refreshed first, so that a long poll does not break off. */
const refreshAheadMs = 60_000
/** More than any answer of ours: a server gone mad must not fill the memory. */
const maxAnswerBytes = 256 * 1024 * 1024

export class Http {
  readonly origin: string
  readonly #options: HttpOptions
  readonly #fetch: typeof fetch
  #tokens: Tokens
  #refreshing: Promise<void> | null = null
  #ended = false

  constructor(options: HttpOptions) {
    this.origin = options.origin
    this.#options = options
    this.#tokens = options.tokens
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
  }

  /** JSON in, JSON out. @throws ApiError */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<JsonObject> {
    const { body } = options
    const response = await this.send(method, path, {
      ...options,
      ...(body !== undefined && {
        content: JSON.stringify(body),
        contentType: 'application/json',
      }),
    })
    const answer = await readJson(response)
    if (!isObject(answer)) throw new ApiError('BAD_ANSWER', 'the server did not answer with a JSON object')
    return answer
  }

  /** Anything in, the successful response out: its body is the caller's to read. @throws ApiError */
  async send(
    method: string,
    path: string,
    options: Omit<RequestOptions, 'body'> & {
      readonly content?: BodyInit
      readonly contentType?: string
    } = {},
  ): Promise<Response> {
    const { expiresTs, refreshToken } = this.#tokens
    const endsSoon = expiresTs !== null && expiresTs - this.#options.clock() < refreshAheadMs
    if (endsSoon && refreshToken !== null) await this.#refresh()
    const used = this.#tokens.accessToken
    try {
      return await this.#once(method, path, options)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      if (error.code === 'M_UNKNOWN_TOKEN') {
        if (used !== this.#tokens.accessToken) return await this.#once(method, path, options)
        if (error.body['soft_logout'] === true && this.#tokens.refreshToken !== null) {
          await this.#refresh()
          return await this.#once(method, path, options)
        }
        this.#end(error.body['soft_logout'] === true ? 'expired' : 'revoked')
      }
      throw error
    }
  }

  /** For the one kind of request that is not made here: see upload.ts. */
  get accessToken(): string {
    return this.#tokens.accessToken
  }

  async #once(
    method: string,
    path: string,
    {
      query = {},
      content,
      contentType,
      timeoutMs = defaultTimeoutMs,
      signal,
    }: Parameters<Http['send']>[2] & object,
    token: string | null = this.#tokens.accessToken,
  ): Promise<Response> {
    if (this.#ended) throw new ApiError('M_UNKNOWN_TOKEN', 'the session has ended', { status: 401 })
    const url = new URL(this.origin + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const timeout = AbortSignal.timeout(timeoutMs)
    let response: Response
    try {
      response = await this.#fetch(url.href, {
        method,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(contentType !== undefined && { 'content-type': contentType }),
        },
        ...(content !== undefined && { body: content }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      })
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      if (timeout.aborted) throw new ApiError('TIMED_OUT', `no answer within ${timeoutMs} ms`)
      throw new ApiError('OFFLINE', String(cause))
    }
    if (response.ok) return response
    const body = await readJson(response).catch(() => null)
    throw refusalOf(response.status, body, response.headers.get('retry-after'))
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#makeRefresh().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #makeRefresh(): Promise<void> {
    const before = this.#tokens
    let answer: Json
    try {
      const response = await this.#once(
        'POST',
        `${v3}/refresh`,
        {
          content: JSON.stringify({
            refresh_token: before.refreshToken,
            // So that a refusal can say whether this device was signed out: see server/client-api/refresh.ts.
            'org.letro.user_id': this.#options.userId,
            'org.letro.device_id': this.#options.deviceId,
          }),
          contentType: 'application/json',
        },
        null,
      )
      answer = await readJson(response)
    } catch (error) {
      const isRefused = error instanceof ApiError && (error.status === 401 || error.status === 403)
      // A locked account may be unlocked, and goes on then.
      if (isRefused && error.code !== 'M_USER_LOCKED')
        this.#end(error.body['soft_logout'] === false ? 'revoked' : 'expired')
      throw error
    }
    const {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in_ms: expiresIn,
    } = isObject(answer) ? answer : {}
    if (typeof accessToken !== 'string') throw new ApiError('BAD_ANSWER', 'a refresh gave no access token')
    this.#tokens = {
      accessToken,
      refreshToken: typeof refreshToken === 'string' ? refreshToken : before.refreshToken,
      expiresTs: typeof expiresIn === 'number' ? this.#options.clock() + expiresIn : null,
    }
    await this.#options.keepTokens(this.#tokens)
  }

  #end(why: 'revoked' | 'expired'): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.onEnded(why)
  }
}

async function readJson(response: Response): Promise<Json> {
  const length = Number(response.headers.get('content-length') ?? 0)
  if (length > maxAnswerBytes) throw new ApiError('BAD_ANSWER', `an answer of ${length} bytes`)
  try {
    return (await response.json()) as Json
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ApiError('BAD_ANSWER', 'an answer is not JSON')
    throw new ApiError('OFFLINE', String(cause))
  }
}

/** An id as part of a path. */
export const inPath = encodeURIComponent
