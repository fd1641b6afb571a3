/**
 * The server's wish for confirmation: "is it really you?", before an act that a stolen access token must not be enough for.
 *
 * Spec: client-server-api#user-interactive-authentication-api. A request that is answered by 401 with flows is thrown as
 * `CONFIRMATION_NEEDED` with the wish in its details. The page has the person make the gesture, and calls again with its
 * answer as `auth`. Our servers ask for a passkey (`org.letro.login.passkey`).
 */
import { isObject, type JsonObject } from '#protocol/json.ts'

export const confirmationNeeded = 'CONFIRMATION_NEEDED'
export const passkeyStage = 'org.letro.login.passkey'

/** What the server wants, as it crosses from the worker to the page. */
export interface Wish extends JsonObject {
  /** Names the server's side of it. */
  readonly session: string
  /** PublicKeyCredentialRequestOptionsJSON; null where no passkey would do. */
  readonly options: JsonObject | null
}

/** Null: the answer is no such wish. */
export function wishOf(status: number, body: unknown): Wish | null {
  if (status !== 401 || !isObject(body) || !Array.isArray(body['flows'])) return null
  const { session, params } = body
  const ofPasskey = isObject(params) ? params[passkeyStage] : undefined
  const options = isObject(ofPasskey) && isObject(ofPasskey['options']) ? ofPasskey['options'] : null
  return { session: typeof session === 'string' ? session : '', options }
}

/** What is sent along with the request when it is made again. */
export function authOf(wish: Wish, assertion: JsonObject): JsonObject {
  return { type: passkeyStage, session: wish.session, assertion }
}
