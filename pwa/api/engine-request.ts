/** Where the engine's requests go. Spec: client-server-api#end-to-end-encryption; each is harmless twice under its id. */
import type { JsonObject } from '#protocol/json.ts'
import type { OutgoingRequest } from '../e2ee/requests.ts'
import { type Http, inPath, v3 } from './http.ts'

/** @throws ApiError */
export function sendEngineRequest(http: Http, userId: string, request: OutgoingRequest): Promise<JsonObject> {
  const { body } = request
  switch (request.kind) {
    case 'keys-upload':
      return http.request('POST', `${v3}/keys/upload`, { body })
    case 'keys-query':
      return http.request('POST', `${v3}/keys/query`, { body })
    case 'keys-claim':
      return http.request('POST', `${v3}/keys/claim`, { body })
    case 'to-device':
      return http.request('PUT', `${v3}/sendToDevice/${inPath(request.eventType)}/${inPath(request.id)}`, {
        body,
      })
    case 'signatures-upload':
      return http.request('POST', `${v3}/keys/signatures/upload`, { body })
    case 'cross-signing-upload':
      return http.request('POST', `${v3}/keys/device_signing/upload`, { body })
    case 'room-message': {
      const room = `${v3}/rooms/${inPath(request.roomId)}`
      return http.request('PUT', `${room}/send/${inPath(request.eventType)}/${inPath(request.id)}`, { body })
    }
    case 'backup-keys':
      return http.request('PUT', `${v3}/room_keys/keys`, { body, query: { version: request.version } })
    case 'account-data':
      return http.request('PUT', `${v3}/user/${inPath(userId)}/account_data/${inPath(request.type)}`, {
        body,
      })
    default:
      return request satisfies never
  }
}
