/**
 * What the engine asks its host to send to the homeserver, and gets the answer to.
 *
 * Spec: client-server-api, the module named beside each. A request is stored with the step that made it, sent
 * after the commit, and repeated under its `id` until an answer came, so that each must be harmless twice.
 */
import type { JsonObject } from '#protocol/json.ts'

export type OutgoingRequest = { readonly id: string } & (
  | { readonly kind: 'keys-upload'; readonly body: JsonObject } // POST /keys/upload
  | { readonly kind: 'keys-query'; readonly body: JsonObject } // POST /keys/query
  | { readonly kind: 'keys-claim'; readonly body: JsonObject } // POST /keys/claim
  /** PUT /sendToDevice/{eventType}/{id} */
  | { readonly kind: 'to-device'; readonly eventType: string; readonly body: JsonObject }
  | { readonly kind: 'signatures-upload'; readonly body: JsonObject } // POST /keys/signatures/upload
  /** POST /keys/device_signing/upload: may ask for user-interactive authentication */
  | { readonly kind: 'cross-signing-upload'; readonly body: JsonObject }
  /** PUT /rooms/{roomId}/send/{eventType}/{id}, not encrypted by us: in-room verification */
  | {
      readonly kind: 'room-message'
      readonly roomId: string
      readonly eventType: string
      readonly body: JsonObject
    }
  /** PUT /room_keys/keys?version= */
  | { readonly kind: 'backup-keys'; readonly version: string; readonly body: JsonObject }
  /** PUT /user/{userId}/account_data/{type} */
  | { readonly kind: 'account-data'; readonly type: string; readonly body: JsonObject }
)
