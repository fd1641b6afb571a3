/**
 * What the administration view asks the server: a door and no more, for what an answer holds is read by the view that asks.
 *
 * Acts that need the passkey are refused with `CONFIRMATION_NEEDED` first, and made again with `auth`.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import type { Http } from '../api/http.ts'
import type { AdminCalls, AdminRequest } from './calls.ts'

const api = '/_letro/admin/v1'
/** A restore into scratch, a check of the whole audit: they answer when they are done. */
const timeoutMs = 10 * 60_000
/** Hundreds of megabytes, through whatever network an administrator has. */
const uploadTimeoutMs = 6 * 60 * 60_000

export function adminCalls(http: () => Http): AdminCalls {
  return {
    administer: ({ method, path, body, auth }) => {
      const sent = auth ? { ...body, auth } : body
      const options = { timeoutMs, ...(sent && { body: sent }) }
      return reasoned(http().request(method, pathOf({ path }), options))
    },
    adminUpload: async ({ path, content }) => {
      const sent = { timeoutMs: uploadTimeoutMs, content, contentType: 'application/octet-stream' }
      return (await (await reasoned(http().send('POST', pathOf({ path }), sent))).json()) as JsonObject
    },
    adminFile: async path => (await reasoned(http().send('GET', pathOf({ path }), { timeoutMs }))).blob(),
  }
}

/** Views write the path; it must not lead out of the administration API. */
function pathOf({ path }: Pick<AdminRequest, 'path'>): string {
  const full = `${api}${path}`
  if (!new URL(full, 'https://a.invalid').pathname.startsWith(`${api}/`))
    throw new ApiError('NO_SUCH_CALL', 'a path that is not of the administration API')
  return full
}

async function reasoned<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const reason = error instanceof ApiError ? error.body['org.letro.reason'] : null
    if (!(error instanceof ApiError) || typeof reason !== 'string') throw error
    const { status, body, message } = error
    throw new ApiError(reason.slice(0, 100), message, { status, body })
  }
}
