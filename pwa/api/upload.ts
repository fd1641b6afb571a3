/**
 * Uploads with progress: `fetch` cannot say how far it is. Spec: client-server-api#post_matrixmediav3upload
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError, refusalOf } from './api-error.ts'
import { type Http, v3 } from './http.ts'

export interface UploadOptions {
  readonly onProgress: (doneBytes: number) => void
  readonly signal: AbortSignal
}

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

function uploadOnce(http: Http, content: Blob, { onProgress, signal }: UploadOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open('POST', `${http.origin}/_matrix/media/v3/upload`)
    request.setRequestHeader('authorization', `Bearer ${http.accessToken}`)
    request.setRequestHeader('content-type', content.type || 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded }) => onProgress(loaded)
    request.onloadend = () => signal.removeEventListener('abort', abort)
    request.onabort = () => reject(signal.reason)
    request.onerror = () => reject(new ApiError('OFFLINE', 'the upload broke off'))
    request.onload = () => {
      const body = request.response as JsonObject | null
      const url = body?.['content_uri']
      if (request.status === 200 && typeof url === 'string') resolve(url)
      else if (request.status === 200) reject(new ApiError('BAD_ANSWER', 'an upload has no address'))
      else reject(refusalOf(request.status, body, request.getResponseHeader('retry-after')))
    }
    signal.throwIfAborted()
    signal.addEventListener('abort', abort, { once: true })
    request.send(content)
  })
}
