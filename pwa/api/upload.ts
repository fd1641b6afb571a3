/**
 * Uploads with progress: `fetch` cannot say how far it is. Spec: client-server-api#post_matrixmediav3upload,
 * #get_matrixclientv1mediaconfig
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError, refusalOf } from './api-error.ts'
import { type Http, v1, v3 } from './http.ts'

export interface UploadOptions {
  readonly onProgress: (doneBytes: number) => void
  readonly signal: AbortSignal
}

/** Without progress, and then without an answer. A slow one may take as long as it likes. */
const stallMs = 60_000

/** @returns the `mxc:` address. @throws ApiError, or the signal's reason */
export async function uploadFile(http: Http, content: Blob, options: UploadOptions): Promise<string> {
  try {
    return await uploadOnce(http, content, options)
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'M_UNKNOWN_TOKEN') throw error
    // Any request refreshes the token, or learns that the session is over.
    await http.request('GET', `${v3}/account/whoami`)
    return await uploadOnce(http, content, options)
  }
}

/** The largest file that the server takes. */
export class UploadLimit {
  readonly #http: Pick<Http, 'request'>
  #known: number | null = null
  #asking: Promise<number | null> | null = null

  constructor(http: Pick<Http, 'request'>) {
    this.#http = http
  }

  /** Null: the server does not say, or was not heard yet. */
  get known(): number | null {
    return this.#known
  }

  /** Null: it does not say. @throws ApiError where it is not within reach */
  ask(): Promise<number | null> {
    return this.#asking ?? this.learn()
  }

  /** Whenever the server is back: its administrator may have changed it. @throws ApiError */
  learn(): Promise<number | null> {
    const asking = this.#ask()
    this.#asking = asking
    asking.catch(() => {
      if (this.#asking === asking) this.#asking = null
    })
    return asking
  }

  async #ask(): Promise<number | null> {
    try {
      const { 'm.upload.size': size } = await this.#http.request('GET', `${v1}/media/config`)
      this.#known = typeof size === 'number' ? size : null
    } catch (error) {
      // A server of before v1.11 has it elsewhere; then the upload itself will show.
      if (!(error instanceof ApiError) || error.status !== 404) throw error
      this.#known = null
    }
    return this.#known
  }
}

function uploadOnce(http: Http, content: Blob, { onProgress, signal }: UploadOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    let stalled = false
    const abort = () => request.abort()
    const stall = () => {
      stalled = true
      request.abort()
    }
    let timer = setTimeout(stall, stallMs)
    request.open('POST', `${http.origin}/_matrix/media/v3/upload`)
    request.setRequestHeader('authorization', `Bearer ${http.accessToken}`)
    request.setRequestHeader('content-type', content.type || 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded }) => {
      clearTimeout(timer)
      timer = setTimeout(stall, stallMs)
      onProgress(loaded)
    }
    request.onloadend = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    request.onabort = () =>
      reject(stalled ? new ApiError('TIMED_OUT', `nothing moved within ${stallMs} ms`) : signal.reason)
    request.onerror = () => reject(new ApiError('OFFLINE', 'the upload broke off'))
    request.onload = () => {
      const body = request.response as JsonObject | null
      const url = body?.['content_uri']
      if (request.status === 200 && typeof url === 'string') resolve(url)
      else if (request.status === 200) reject(new ApiError('BAD_ANSWER', 'an upload has no address'))
      else reject(refusalOf(request.status, body, request.getResponseHeader('retry-after')))
    }
    if (signal.aborted) clearTimeout(timer)
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    request.send(content)
  })
}
