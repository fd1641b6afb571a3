/** What tabs may ask about writing: messages, files, drafts, and files of others. */
import type { JsonObject } from '#protocol/json.ts'
import { draftCollection, draftId } from '../outbox/draft-place.ts'
import { fileContent } from '../outbox/file-message.ts'
import type { StoredFile } from '../outbox/waiting-files.ts'
import { VaultError } from '../vault/errors.ts'
import type { App } from './app.ts'
import type { MessageCalls, NewFile } from './calls.ts'

export function messageCalls(app: () => App): MessageCalls {
  const isEncrypted = (roomId: string) => app().store.entry(roomId)?.encrypted ?? true
  return {
    send: ({ roomId, type, content }) =>
      app().outbox.queue.add({ roomId, type, content, forEncrypted: isEncrypted(roomId) }),
    sendFile: async file => {
      const { files, queue, uploadLimit } = app().outbox
      const { roomId, thumbnail } = file
      mustBeTaken(file.file.size, uploadLimit.known)
      const stored: StoredFile[] = []
      try {
        // The small one first: whoever reads sees something sooner.
        if (thumbnail) stored.push(await files.keep(thumbnail.blob, 'thumbnail'))
        stored.push(await files.keep(file.file, 'file'))
      } catch (error) {
        await files.drop(stored.map(each => each.file)).catch(() => {
          // They are marked as begun: the next opening takes them away.
        })
        throw error
      }
      const content = contentOf(file)
      const forEncrypted = isEncrypted(roomId)
      return queue.add({ roomId, type: 'm.room.message', content, forEncrypted, files: stored })
    },
    redact: async ({ roomId, eventId, reason }) => {
      const { queue } = app().outbox
      // A reaction that is taken back before it left never leaves.
      if (await queue.discard(eventId)) return eventId
      const content: JsonObject = reason === undefined ? {} : { reason }
      return queue.add({
        roomId,
        type: 'm.room.redaction',
        content,
        forEncrypted: false,
        redacts: queue.find(eventId)?.eventId ?? eventId,
      })
    },
    retry: txnId => app().outbox.queue.retry(txnId),
    discard: txnId => app().outbox.queue.discard(txnId),
    pauseTransfer: async id => {
      await app().outbox.queue.pause(id)
      app().outbox.media.pause(id)
    },
    resumeTransfer: async id => {
      app().outbox.media.resume(id)
      await app().outbox.queue.retry(id)
    },
    media: wanted => app().outbox.media.get(wanted),
    draft: async place => (await app().store.records.get(draftCollection, draftId(place))) ?? null,
    setDraft: ({ draft, ...place }) => app().outbox.queue.setDraft(place, draft),
  }
}

/** Before it is sealed: nobody waits for what can only be refused. Without the server nothing is known, and it is tried. */
function mustBeTaken(sizeBytes: number, limitBytes: number | null): void {
  if (limitBytes === null || sizeBytes <= limitBytes) return
  throw new VaultError('M_TOO_LARGE', `a file of ${sizeBytes} bytes, where the server takes ${limitBytes}`, {
    details: { limitBytes },
  })
}

function contentOf({ file, thumbnail, ...rest }: NewFile): JsonObject {
  return fileContent({
    ...rest,
    mimetype: file.type || 'application/octet-stream',
    size: file.size,
    thumbnail: thumbnail && {
      width: thumbnail.width,
      height: thumbnail.height,
      mimetype: thumbnail.blob.type,
      size: thumbnail.blob.size,
    },
  })
}
