/** What tabs may ask about writing: messages, files, drafts, and files of others. */
import type { JsonObject } from '#protocol/json.ts'
import type { StoredFile } from '../outbox/attachments.ts'
import { fileContent } from '../outbox/file-message.ts'
import type { App } from './app.ts'
import type { MessageCalls, NewFile } from './calls.ts'

export function messageCalls(app: () => App): MessageCalls {
  const isEncrypted = (roomId: string) => app().store.entry(roomId)?.encrypted ?? true
  return {
    send: ({ roomId, type, content }) =>
      app().outbox.queue.add({ roomId, type, content, forEncrypted: isEncrypted(roomId) }),
    sendFile: async file => {
      const { attachments, queue } = app().outbox
      const forEncrypted = isEncrypted(file.roomId)
      const files: StoredFile[] = [await attachments.keep(file.file, [forEncrypted ? 'file' : 'url'])]
      if (file.thumbnail) {
        const place = ['info', forEncrypted ? 'thumbnail_file' : 'thumbnail_url']
        files.push(await attachments.keep(file.thumbnail.blob, place))
      }
      return queue.add({
        roomId: file.roomId,
        type: 'm.room.message',
        content: contentOf(file),
        forEncrypted,
        files,
      })
    },
    redact: ({ roomId, eventId, reason }) =>
      app().outbox.queue.add({
        roomId,
        type: 'm.room.redaction',
        content: reason === undefined ? {} : { reason },
        forEncrypted: false,
        redacts: eventId,
      }),
    retry: txnId => app().outbox.queue.retry(txnId),
    discard: txnId => app().outbox.queue.discard(txnId),
    pauseTransfer: async id => {
      app().outbox.attachments.pause(id)
      app().outbox.media.pause(id)
    },
    resumeTransfer: async id => {
      app().outbox.attachments.resume(id)
      await app().outbox.queue.retry(id)
    },
    media: wanted => app().outbox.media.get(wanted),
    draft: async roomId => (await app().store.records.get('draft', roomId)) ?? null,
    setDraft: ({ roomId, draft }) => app().outbox.queue.setDraft(roomId, draft),
  }
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
