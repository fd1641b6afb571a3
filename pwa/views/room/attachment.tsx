/** A file in a message: shown where that is safe, played, or offered to be saved; and how far it is on its way. */
import './attachment.css'
import { useState } from 'preact/hooks'
import { formatBytes, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { Button, IconButton } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { errorText } from '../parts/notice.tsx'
import { cut, plainName } from '../parts/plain-name.ts'
import { useAct } from '../use-act.ts'
import { type AttachedFile, extensionOf, isActive } from './attached-file.ts'
import { mostBytes, saveMedia, transferIdOf } from './media-address.ts'
import { Picture } from './picture.tsx'
import { Played } from './played.tsx'
import { TransferLine } from './transfer-line.tsx'
import { Voice } from './voice.tsx'

export function Attachment({ item, file }: { item: TimelineItem; file: AttachedFile }) {
  const isWaiting = item.eventId === null
  const transferId = isWaiting ? item.key : file.source && transferIdOf(file.source)
  return (
    <div class="attachment">
      <Shown item={item} file={file} />
      <TransferLine id={transferId} />
    </div>
  )
}

function Shown({ item, file }: { item: TimelineItem; file: AttachedFile }) {
  const { source } = file
  if (!source) {
    // What waits to be uploaded has no address yet.
    return item.eventId === null ? <FileCard file={file} /> : <p class="quiet">{t('room.fileBroken')}</p>
  }
  switch (file.as) {
    case 'image':
    case 'sticker':
      return <Picture item={item} file={file} source={source} />
    case 'voice':
      return <Voice file={file} source={source} />
    case 'audio':
    case 'video':
      return (
        <>
          <FileCard file={file} />
          <Played file={file} source={source} />
        </>
      )
    case 'file':
      return <FileCard file={file} />
  }
}

/** The square with its ending, the name, the size, and the way to save it. */
export function FileCard({ file }: { file: AttachedFile }) {
  const { busy, error, act } = useAct()
  const name = plainName(file.name) ?? t('room.fileUnnamed')
  const { source } = file
  return (
    <div class="file">
      <span class="file-kind" aria-hidden="true" dir="ltr">
        {cut(extensionOf(file), 5)}
      </span>
      <span class="file-words">
        <Name of={file.name} fallback={name} />
        <small>
          {file.sizeBytes !== null && formatBytes(file.sizeBytes)}
          {isActive(file) && <em> {t('room.fileNotShown')}</em>}
        </small>
        {error !== null && (
          <small class="file-error" role="alert">
            {fetchFailure(error)}
          </small>
        )}
      </span>
      {source && (
        <IconButton
          icon="download"
          label={t('room.fileSave', { name })}
          disabled={busy}
          aria-busy={busy}
          onClick={() => void act(() => saveMedia({ source, mime: file.mime, maxBytes: mostBytes }, name))}
        />
      )}
    </div>
  )
}

/** A hash that does not fit is more than a failure: it was changed. */
export function fetchFailure(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (code === 'PICTURE_TOO_LARGE') return errorText(error)
  return typeof code === 'string' && /HASH|MAC/.test(code)
    ? t('room.fileChanged')
    : t('room.fileFailed', { reason: errorText(error) })
}

/** A press that fetches what is too large to be fetched unasked. */
export function useWanted(isSmall: boolean): {
  wanted: boolean
  offer: (label: string) => preact.JSX.Element
} {
  const [wanted, setWanted] = useState(isSmall)
  return {
    wanted,
    offer: label => (
      <Button onClick={() => setWanted(true)} aria-label={label}>
        {t('room.fileFetch')}
      </Button>
    ),
  }
}
