import { formatDuration, t } from '../../i18n/i18n.ts'
import { plainName } from '../parts/plain-name.ts'
import type { AttachedFile, FileSource } from './attached-file.ts'
import { fetchFailure, useWanted } from './attachment.tsx'
import { mostBytes, useMedia } from './media-address.ts'

/** A film or a sound, fetched when somebody wants it, played by the browser's own player. */
export function Played({ file, source }: { file: AttachedFile; source: FileSource }) {
  const { wanted, offer } = useWanted(false)
  const { address, error } = useMedia(wanted ? { source, mime: file.mime, maxBytes: mostBytes } : null)
  const name = plainName(file.name) ?? t(file.as === 'video' ? 'room.fileVideo' : 'room.fileAudio')
  if (error !== null) return <p class="quiet">{fetchFailure(error)}</p>
  if (address === null) {
    return (
      <p class="play-offer">
        {!wanted && offer(t('room.filePlay', { name }))}
        {file.durationMs !== null && <small>{formatDuration(file.durationMs)}</small>}
      </p>
    )
  }
  return file.as === 'video' ? (
    // biome-ignore lint/a11y/useMediaCaption: what people send each other has none
    <video class="film" src={address} controls playsInline aria-label={name} />
  ) : (
    // biome-ignore lint/a11y/useMediaCaption: what people send each other has none
    <audio class="sound" src={address} controls aria-label={name} />
  )
}
