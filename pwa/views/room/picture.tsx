import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatBytes, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { plainName } from '../parts/plain-name.ts'
import { type AttachedFile, type FileSource, isPicture, shownSize } from './attached-file.ts'
import { FileCard, fetchFailure, useWanted } from './attachment.tsx'
import { type MediaQuestion, unaskedBytes, useMedia } from './media-address.ts'
import { useGround } from './room-ground.ts'

const box = { width: 420, height: 320 }
const stickerBox = { width: 160, height: 160 }

/** A picture in its place, which is known before it is here. Pressing it shows it large. */
export function Picture({
  item,
  file,
  source,
}: {
  item: TimelineItem
  file: AttachedFile
  source: FileSource
}) {
  const { ask } = useGround()
  const isSmall = file.sizeBytes !== null && file.sizeBytes <= unaskedBytes
  const question = smallQuestion(file, source)
  const { wanted, offer } = useWanted(question !== null || isSmall)
  const { address, error, again } = useMedia(wanted ? (question ?? fullQuestion(file, source)) : null)
  const frame = useRef<HTMLButtonElement>(null)
  const { width, height } = shownSize(file, file.as === 'sticker' ? stickerBox : box)
  useLayoutEffect(() => {
    frame.current?.style.setProperty('--width', `${width}px`)
    frame.current?.style.setProperty('--ratio', `${width} / ${height}`)
  }, [width, height, address === null])
  const name = plainName(file.name) ?? t('room.fileImage')
  if (!wanted) {
    return (
      <div class="picture-offer">
        <FileCard file={file} />
        {offer(t('room.fileShow', { name }))}
        {file.sizeBytes !== null && <small>{formatBytes(file.sizeBytes)}</small>}
      </div>
    )
  }
  if (error !== null) {
    return (
      <>
        <FileCard file={file} />
        <p class="quiet">
          {fetchFailure(error)}{' '}
          <button type="button" class="button quiet" onClick={again}>
            {t('parts.retry')}
          </button>
        </p>
      </>
    )
  }
  return (
    <button
      type="button"
      ref={frame}
      class={address === null ? 'picture waits' : 'picture'}
      aria-label={t('room.fileShow', { name })}
      onClick={() => ask({ kind: 'picture', item })}
    >
      {address !== null && <img src={address} alt="" decoding="async" draggable={false} />}
    </button>
  )
}

/** The small one that came with it, or one that the server makes; null: none. */
function smallQuestion(file: AttachedFile, source: FileSource): MediaQuestion | null {
  const { thumbnail } = file
  if (thumbnail && isPicture(thumbnail.mime))
    return { source: thumbnail.source, mime: thumbnail.mime, maxBytes: unaskedBytes }
  // A moving picture moves only whole.
  if ('mxc' in source && file.mime !== 'image/gif')
    return { source, mime: file.mime, maxBytes: unaskedBytes, thumbnail: { width: 800, height: 600 } }
  return null
}

export function fullQuestion(file: AttachedFile, source: FileSource): MediaQuestion {
  return { source, mime: file.mime, maxBytes: Math.max(unaskedBytes, 2 * (file.sizeBytes ?? 50_000_000)) }
}
