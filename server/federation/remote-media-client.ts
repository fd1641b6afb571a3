/**
 * `RemoteMedia` over https. Spec: server-server-api#content-repository
 *
 * Deviation: a part that names another place (`Location`) is not followed: nothing is fetched from who is not pinned.
 */
import { contentTypeIn, fileNameIn } from '../http/content-disposition.ts'
import { parseStrictJson } from '../http/strict-json.ts'
import type { RemoteMedia } from '../media/ports.ts'
import type { ServerName } from '../protocol/ids.ts'
import { isObject } from '../protocol/json.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'
import { type FederationClient, pathOf } from './client.ts'
import { boundaryIn, readFilePart } from './multipart.ts'
import { readAll } from './transport.ts'

/** For a whole file: 100 MB at 2.7 Mbit/s. */
const timeoutMs = 5 * 60_000
/** No byte for so long: nothing more will come. */
const silenceMs = 30_000
const maxErrorBytes = 64 * 1024

export function remoteMediaClient(client: Pick<FederationClient, 'open'>): RemoteMedia {
  return {
    async download(server, mediaId, waitMs) {
      const answer = await client.open(server, {
        method: 'GET',
        path: pathOf`/v1/media/download/${mediaId}`,
        query: { timeout_ms: waitMs },
        timeoutMs: timeoutMs + waitMs,
      })
      const { response } = answer
      if (response.statusCode !== 200) throw await refusalIn(server, answer)
      try {
        const boundary = boundaryIn(response.headers['content-type'])
        if (boundary === null) throw new Error('it has no parts')
        const { headers, body } = await readFilePart(unlessSilent(response), boundary)
        if (headers.has('location')) throw new Error('the file is at another place')
        const fileName = fileNameIn(headers.get('content-disposition'))
        return {
          contentType: contentTypeIn(headers.get('content-type')),
          ...(fileName === undefined ? {} : { fileName }),
          body: explained(server, body),
        }
      } catch (error) {
        response.destroy()
        throw unreadable(server, error)
      }
    },
  }
}

type Answer = Awaited<ReturnType<FederationClient['open']>>

async function refusalIn(server: ServerName, answer: Answer): Promise<RemoteError> {
  const status = answer.response.statusCode!
  try {
    const body = parseStrictJson(await readAll(answer, maxErrorBytes))
    const errcode = isObject(body) ? body['errcode'] : undefined
    return new RemoteError('refused', `${server} does not give this file.`, {
      status,
      ...(typeof errcode === 'string' ? { errcode: errcode.slice(0, 100) } : {}),
    })
  } catch (error) {
    return new RemoteError('refused', `${server} does not give this file.`, { status, cause: error })
  }
}

async function* unlessSilent(response: Answer['response']): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => response.destroy(), silenceMs)
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      timer.refresh()
      yield chunk
    }
  } finally {
    clearTimeout(timer)
    response.destroy()
  }
}

async function* explained(server: ServerName, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw unreadable(server, error)
  }
}

function unreadable(server: ServerName, error: unknown): RemoteError {
  const reason = error instanceof Error ? error.message : 'the answer broke off'
  return new RemoteError('unreachable', `The file cannot be had from ${server}: ${reason}.`, { cause: error })
}
