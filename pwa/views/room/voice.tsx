import './voice.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatDuration, formatNumber, t } from '../../i18n/i18n.ts'
import { IconButton } from '../parts/button.tsx'
import type { AttachedFile, FileSource } from './attached-file.ts'
import { fetchFailure } from './attachment.tsx'
import { mostBytes, useMedia } from './media-address.ts'
import { Waveform } from './waveform-bars.tsx'

const speeds = [1, 1.5, 2] as const
/** One voice at a time. */
let playing: HTMLAudioElement | null = null

/** A voice message: play, where it is, how fast. */
export function Voice({ file, source }: { file: AttachedFile; source: FileSource }) {
  const [wanted, setWanted] = useState(false)
  const { address, error } = useMedia(wanted ? { source, mime: file.mime, maxBytes: mostBytes } : null)
  const audio = useRef<HTMLAudioElement>(null)
  const [isPlaying, setPlaying] = useState(false)
  const [at, setAt] = useState(0)
  const [speed, setSpeed] = useState<number>(1)
  const [known, setKnown] = useState<number | null>(file.durationMs)
  const durationMs = known ?? 0
  useEffect(() => {
    if (address !== null) void audio.current?.play().catch(() => setPlaying(false))
  }, [address])
  useEffect(() => {
    if (audio.current) audio.current.playbackRate = speed
  }, [speed, address])
  const toggle = () => {
    if (address === null) return setWanted(true)
    if (audio.current?.paused) void audio.current.play()
    else audio.current?.pause()
  }
  const seek = (fraction: number) => {
    if (audio.current && durationMs > 0) audio.current.currentTime = (fraction * durationMs) / 1000
    setAt(fraction)
  }
  if (error !== null) return <p class="quiet">{fetchFailure(error)}</p>
  return (
    <fieldset class="voice" aria-label={t('room.fileVoice')}>
      <IconButton
        icon={isPlaying ? 'pause' : 'play'}
        label={t(isPlaying ? 'room.pause' : 'room.play')}
        aria-busy={wanted && address === null}
        onClick={toggle}
      />
      <span class="voice-line">
        <Waveform levels={file.waveform} at={at} />
        <input
          type="range"
          min={0}
          max={1000}
          value={Math.round(at * 1000)}
          aria-label={t('room.position')}
          aria-valuetext={formatDuration(at * durationMs)}
          disabled={address === null}
          onInput={event => seek(Number(event.currentTarget.value) / 1000)}
        />
      </span>
      <span class="voice-time">{formatDuration(at > 0 ? at * durationMs : durationMs)}</span>
      <button
        type="button"
        class="voice-speed"
        aria-label={t('room.speed', { times: speed })}
        onClick={() => setSpeed(speeds[(speeds.indexOf(speed as 1) + 1) % speeds.length]!)}
      >
        {formatNumber(speed)}×
      </button>
      {address !== null && (
        // biome-ignore lint/a11y/useMediaCaption: what people say to each other has none
        <audio
          ref={audio}
          src={address}
          hidden
          onPlay={event => {
            if (playing !== event.currentTarget) playing?.pause()
            playing = event.currentTarget
            setPlaying(true)
          }}
          onPause={() => setPlaying(false)}
          onEnded={() => {
            setPlaying(false)
            setAt(0)
          }}
          onTimeUpdate={event => {
            const { currentTime, duration } = event.currentTarget
            const length = Number.isFinite(duration) ? duration * 1000 : durationMs
            if (Number.isFinite(duration)) setKnown(length)
            setAt(length > 0 ? Math.min(1, (currentTime * 1000) / length) : 0)
          }}
        />
      )}
    </fieldset>
  )
}
