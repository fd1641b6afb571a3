/**
 * How one message leaves: its files are uploaded, it is encrypted, its keys go first, then itself.
 *
 * Every step that must not be made twice is stored before the next: an upload's address, and the ciphertext by the commit that
 * moved the ratchet. After a crash the same ciphertext leaves under the same transaction id.
 */
import type { JsonObject } from '#protocol/json.ts'
import { ApiError } from '../api/api-error.ts'
import { type Http, inPath, v3 } from '../api/http.ts'
import { E2eeError } from '../e2ee/errors.ts'
import type { Machine } from '../e2ee/machine.ts'
import { encryptRoomEvent } from '../e2ee/room-encryption.ts'
import { readRoom } from '../e2ee/room-settings.ts'
import type { Uploads } from './uploads.ts'
import { contentOf, outboxCollection, outboxId, type Waiting } from './waiting.ts'

export interface SendingDeps {
  readonly http: Pick<Http, 'request'>
  readonly machine: Pick<Machine, 'run'>
  /** Until the engine’s requests were answered. @throws ApiError */
  readonly settled: () => Promise<void>
  readonly uploads: Uploads
}

/** Durable on return; from the newest state of the record. */
export type Update = (order: number, change: Partial<Waiting>) => Promise<Waiting>

export type Sent =
  | { readonly kind: 'sent'; readonly eventId: string }
  /** Somebody has to be decided about first. */
  | { readonly kind: 'blocked'; readonly userIds: readonly string[] }

/** So often the engine may ask for another round of keys before a message. */
const maxRounds = 8

/** @throws whatever keeps it from leaving: see refusal.ts */
export async function sendWaiting(
  deps: SendingDeps,
  first: Waiting,
  update: Update,
  sealed: (waiting: Waiting) => void,
  signal: AbortSignal,
): Promise<Sent> {
  let waiting = first
  const room = `${v3}/rooms/${inPath(waiting.roomId)}`
  const { txnId, redacts } = waiting
  if (redacts !== null) {
    if (!redacts.startsWith('$'))
      throw new ApiError('M_NOT_FOUND', 'what it redacts never left', { status: 404 })
    const path = `${room}/redact/${inPath(redacts)}/${inPath(txnId)}`
    return sentBy(await deps.http.request('PUT', path, { body: waiting.content, signal }))
  }
  for (const [i, file] of waiting.files.entries()) {
    if (file.uploaded !== null) continue
    const uploaded = await deps.uploads.upload(waiting, file, await isEncrypted(deps, waiting))
    const files = waiting.files.map((each, at) => (at === i ? { ...each, uploaded } : each))
    waiting = await update(waiting.order, { files })
  }
  if (!waiting.sealed) {
    const result = await seal(deps, waiting)
    if ('userIds' in result) return result
    waiting = result
    sealed(waiting)
  }
  const { type, content } = waiting.sealed!
  // Also when it was encrypted before a crash: its keys leave before it does.
  if (type === 'm.room.encrypted') await deps.settled()
  const path = `${room}/send/${inPath(type)}/${inPath(txnId)}`
  return sentBy(await deps.http.request('PUT', path, { body: content, signal }))
}

function sentBy({ event_id: eventId }: JsonObject): Sent {
  if (typeof eventId === 'string' && eventId.startsWith('$')) return { kind: 'sent', eventId }
  throw new ApiError('BAD_ANSWER', 'an event was sent and has no id')
}

/** A room that became encrypted while a file waited gets it encrypted. */
async function isEncrypted({ machine }: SendingDeps, { forEncrypted, roomId }: Waiting): Promise<boolean> {
  return forEncrypted || (await machine.run(step => readRoom(step, roomId))) !== null
}

async function seal(
  { machine, settled }: SendingDeps,
  waiting: Waiting,
): Promise<Waiting | Extract<Sent, { kind: 'blocked' }>> {
  const { roomId, type, forEncrypted } = waiting
  const content = contentOf(waiting)
  for (let round = 0; round < maxRounds; round++) {
    const result = await machine.run(async (step, context) => {
      const keep = (sealed: NonNullable<Waiting['sealed']>): Waiting => {
        const now = { ...waiting, sealed }
        step.put(outboxCollection, outboxId(waiting.order), now as unknown as JsonObject)
        return now
      }
      // Deviation: a reaction is in the clear in encrypted rooms too, as with all other clients: its relation, which is all
      // that it is, has to stand outside for servers (client-server-api#mroomencrypted).
      if (type === 'm.reaction') return keep({ type, content })
      if (!(await readRoom(step, roomId))) {
        if (!forEncrypted) return keep({ type, content })
        // A room of ours that no sync brought yet: nobody knows who is in it.
        if (!(await step.get('room', roomId)))
          throw new ApiError('ROOM_NOT_HERE', 'this room has to come first')
        throw new E2eeError('ROOM_NOT_ENCRYPTED', 'this was written for an encrypted room')
      }
      const encrypted = await encryptRoomEvent(step, context, roomId, type, content)
      return encrypted.kind === 'encrypted'
        ? keep({ type: 'm.room.encrypted', content: encrypted.content })
        : encrypted
    })
    if ('order' in result || result.kind === 'blocked') return result
    await settled()
  }
  throw new ApiError('OFFLINE', 'the keys of those who may read are not to be had')
}
