/** The way to push services: the one request that this server makes to somebody who is no peer. Redirects are not followed. */
import type { SendPush } from './push/web-push.ts'

const timeoutMs = 15_000

export const sendPush: SendPush = async ({ endpoint, headers, body }) => {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  await answer.body?.cancel()
  const retryAfter = answer.headers.get('retry-after') ?? ''
  return {
    status: answer.status,
    retryAfterSeconds: /^[0-9]{1,6}$/.test(retryAfter) ? Number(retryAfter) : null,
  }
}
