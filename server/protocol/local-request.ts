/**
 * Local requests: how the command `letro`, on the server's own machine, asks the server for something.
 *
 * A request is a file in `<data>/requests/`: who may write there owns the data anyway. The server takes it up when it
 * runs, or when it starts; it leaves an answer beside it. Secrets do not travel: of a link that the command
 * made up, the server gets the hash.
 *
 *     ID.request.json   by the command, written under another name, then renamed
 *     ID.answer.json    by the server, likewise; the request is gone by then
 */
import { parseUserId, type UserId } from './ids.ts'
import { isObject } from './json.ts'

export const requestsFolder = 'requests'
/** In the data folder, 0600: the administration API, for `letro` on the server's own machine. */
export const adminSocket = 'admin.sock'

export type LocalRequest = {
  readonly type: 'recover-administrator'
  readonly createdTs: number
  /** Absent: the only administrator there is. */
  readonly userId?: UserId
  /** base64url(SHA-256(secret)). */
  readonly secretHash: string
}

export type LocalAnswer =
  | {
      readonly ok: true
      readonly userId?: UserId
      readonly origin?: string
      readonly expiresTs?: number
    }
  | { readonly ok: false; readonly error: string }

const requestName = /^([0-9a-f]{32})\.request\.json$/

/** Null where the file is no request. */
export function requestIdOf(fileName: string): string | null {
  return requestName.exec(fileName)?.[1] ?? null
}

export const requestFile = (id: string) => `${id}.request.json`
export const answerFile = (id: string) => `${id}.answer.json`

export function parseLocalRequest(text: string): LocalRequest | null {
  const json = parse(text)
  if (!isObject(json) || typeof json['createdTs'] !== 'number') return null
  const { type, createdTs } = json
  if (type !== 'recover-administrator') return null
  const { secretHash } = json
  if (typeof secretHash !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(secretHash)) return null
  if (json['userId'] === undefined) return { type, createdTs, secretHash }
  const userId = parseUserId(json['userId'])
  return userId ? { type, createdTs, userId, secretHash } : null
}

export function parseLocalAnswer(text: string): LocalAnswer | null {
  const json = parse(text)
  return isObject(json) && typeof json['ok'] === 'boolean' ? (json as unknown as LocalAnswer) : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
