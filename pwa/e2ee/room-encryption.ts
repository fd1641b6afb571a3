/**
 * Encrypts what goes into a room. Spec: client-server-api#mmegolmv1aes-sha2
 */
import { encodeBase64 } from '#protocol/base64.ts'
import type { JsonObject } from '#protocol/json.ts'
import { utf8Bytes } from '#protocol/utf8.ts'
import { megolmAlgorithm } from './account.ts'
import type { Context } from './context.ts'
import { E2eeError } from './errors.ts'
import type { Step } from './records.ts'
import { prepareRoomKey, putKey } from './room-keys.ts'
import { readRoom } from './room-settings.ts'

export type Encrypted =
  /** The content of an `m.room.encrypted` event. It goes after all requests of the same step. */
  | { readonly kind: 'encrypted'; readonly content: JsonObject }
  /** Send the requests, hand in the answer to this one, and ask again. */
  | { readonly kind: 'waiting'; readonly request: string }
  /** These people's identities are not those that were pinned, or nobody vouched for them: somebody has to decide. */
  | { readonly kind: 'blocked'; readonly userIds: readonly string[] }

/** @throws E2eeError ROOM_NOT_ENCRYPTED: then it may only be sent as it is, if a person wants that */
export async function encryptRoomEvent(
  step: Step,
  context: Context,
  roomId: string,
  type: string,
  content: JsonObject,
): Promise<Encrypted> {
  const room = await readRoom(step, roomId)
  if (!room) throw new E2eeError('ROOM_NOT_ENCRYPTED', 'the room is not encrypted')
  const prepared = await prepareRoomKey(step, context, roomId, room)
  if (prepared.kind !== 'ready') return prepared
  const { key } = prepared
  const plaintext = utf8Bytes(JSON.stringify({ type, content, room_id: roomId }))
  const { message, session } = await key.session.encrypt(plaintext)
  putKey(step, roomId, { ...key, session, messageCount: key.messageCount + 1 })
  const relation = content['m.relates_to']
  return {
    kind: 'encrypted',
    content: {
      algorithm: megolmAlgorithm,
      sender_key: context.account.curve25519Key,
      device_id: context.deviceId,
      session_id: session.id,
      ciphertext: encodeBase64(message),
      // Spec: client-server-api#mroomencrypted: it stays outside, for servers to aggregate by.
      ...(relation !== undefined && { 'm.relates_to': relation }),
    },
  }
}
