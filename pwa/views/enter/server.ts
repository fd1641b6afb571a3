/** What the page asks of the server before anybody is signed in: no token is involved. */
import { isObject, type JsonObject } from '#protocol/json.ts'
import { ApiError, refusalOf } from '../../api/api-error.ts'
import { letro, v3 } from '../../api/http.ts'
import type { NewSession } from '../../worker/calls.ts'

export interface Invitation {
  readonly userId: string
  readonly serverName: string
  /** `enrol`, `first-administrator`: a first passkey. Else all earlier passkeys and devices end with it. */
  readonly purpose: string
  readonly displayName: string | null
  readonly expiresTs: number
  /** PublicKeyCredentialCreationOptionsJSON */
  readonly options: JsonObject
}

export interface SignedIn {
  readonly userId: string
  readonly session: NewSession
}

const timeoutMs = 30_000

/** Opening a link uses nothing up. @throws ApiError */
export async function beginInvitation(secret: string): Promise<Invitation> {
  const answer = await post(`${letro}/enrolment/begin`, { secret })
  const {
    user_id: userId,
    server_name: serverName,
    purpose,
    display_name: name,
    expires_ts: expires,
    options,
  } = answer
  if (typeof userId !== 'string' || typeof serverName !== 'string' || !isObject(options)) throw malformed()
  return {
    userId,
    serverName,
    purpose: String(purpose),
    displayName: typeof name === 'string' ? name : null,
    expiresTs: typeof expires === 'number' ? expires : 0,
    options,
  }
}

export async function completeInvitation(
  secret: string,
  attestation: JsonObject,
  name: string,
): Promise<SignedIn> {
  return signedIn(
    await post(`${letro}/enrolment/complete`, {
      secret,
      attestation,
      name,
      initial_device_display_name: name,
      refresh_token: true,
    }),
  )
}

/** PublicKeyCredentialRequestOptionsJSON */
export async function signInOptions(): Promise<JsonObject> {
  const { options } = await post(`${letro}/passkey/challenge`, {})
  if (!isObject(options)) throw malformed()
  return options
}

/** `proof`: the members of a login that say who it is. `deviceId`: this browser was signed in before and keeps what it has. */
export async function signIn(proof: JsonObject, name: string, deviceId: string | null): Promise<SignedIn> {
  return signedIn(
    await post(`${v3}/login`, {
      ...proof,
      initial_device_display_name: name,
      refresh_token: true,
      ...(deviceId !== null && { device_id: deviceId }),
    }),
  )
}

/** A session that was opened and is not to be kept. */
export async function signOut({ accessToken }: NewSession): Promise<void> {
  await post(`${v3}/logout`, {}, accessToken)
}

export interface DemoSignIn {
  readonly loginToken: string
  /** Opens this person's identity, and seals what is stored here; null while their identity is being set up. */
  readonly recoveryKey: string | null
}

/** Of a demonstration alone: see server/client-api/demo.ts. */
export async function demoSignIn(userId: string): Promise<DemoSignIn> {
  const answer = await post('/_letro/demo/v1/sign-in', { user_id: userId })
  const { login_token: loginToken, recovery_key: recoveryKey } = answer
  if (typeof loginToken !== 'string') throw malformed()
  return { loginToken, recoveryKey: typeof recoveryKey === 'string' ? recoveryKey : null }
}

/** A first passkey of this device, in the minutes after another device let it in. */
export async function beginPasskey({ accessToken }: NewSession): Promise<JsonObject> {
  const { options } = await post(`${letro}/passkeys/begin`, {}, accessToken)
  if (!isObject(options)) throw malformed()
  return options
}

export async function completePasskey(
  { accessToken }: NewSession,
  attestation: JsonObject,
  name: string,
): Promise<void> {
  await post(`${letro}/passkeys/complete`, { attestation, name }, accessToken)
}

function signedIn(answer: JsonObject): SignedIn {
  const {
    user_id: userId,
    device_id: deviceId,
    access_token: token,
    refresh_token: refresh,
    expires_in_ms: ms,
  } = answer
  if (typeof userId !== 'string' || typeof deviceId !== 'string' || typeof token !== 'string')
    throw malformed()
  return {
    userId,
    session: {
      origin: location.origin,
      deviceId,
      accessToken: token,
      refreshToken: typeof refresh === 'string' ? refresh : null,
      expiresInMs: typeof ms === 'number' ? ms : null,
    },
  }
}

async function post(path: string, body: JsonObject, token: string | null = null): Promise<JsonObject> {
  let response: Response
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== null && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (cause) {
    const isLate = (cause as { name?: unknown }).name === 'TimeoutError'
    throw new ApiError(isLate ? 'TIMED_OUT' : 'OFFLINE', String(cause))
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok && isObject(answer)) return answer
  const refusal = refusalOf(response.status, answer, response.headers.get('retry-after'))
  // Our server says more exactly what is wrong with a link.
  const reason = refusal.body['org.letro.reason']
  if (typeof reason === 'string') throw new ApiError(reason, refusal.message, refusal)
  throw response.ok ? malformed() : refusal
}

function malformed(): ApiError {
  return new ApiError('BAD_ANSWER', 'the server’s answer is not one')
}
