/** A new session as the specification writes it: the answer of login, register, refresh and enrolment. */
import type { NewSession, Session } from '../accounts/sessions.ts'
import { mayBoolean, mayString } from '../http/fields.ts'
import type { JsonObject } from '../protocol/json.ts'

const maxDisplayName = 256

export function sessionAnswer(session: Session): JsonObject {
  return { user_id: session.userId, device_id: session.deviceId, ...tokensAnswer(session) }
}

export function tokensAnswer(session: Session): JsonObject {
  return {
    access_token: session.accessToken,
    ...(session.refreshToken === undefined
      ? {}
      : { refresh_token: session.refreshToken, expires_in_ms: session.expiresInMs }),
  }
}

/** Spec: POST /login, POST /register: device_id, initial_device_display_name, refresh_token. */
export function newSessionOf(body: JsonObject): NewSession {
  return {
    deviceId: mayString(body, 'device_id', 255),
    displayName: mayString(body, 'initial_device_display_name', maxDisplayName),
    refresh: mayBoolean(body, 'refresh_token'),
  }
}
