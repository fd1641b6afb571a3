/** Records a voice message, lets it be heard, sends it. Loaded when first asked for. */
import './voice.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatDuration, t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { useGround } from './room-ground.ts'
import { type Recorded, VoiceRecording } from './voice-recording.ts'
import { waveformOf } from './waveform.ts'
import { Waveform } from './waveform-bars.tsx'

export function VoiceRecorder({
  replyTo,
  onClose,
  onSent,
}: {
  replyTo: string | null
  onClose: () => void
  onSent: () => void
}) {
  const { roomId, threadRoot } = useGround()
  const recording = useRef<VoiceRecording | null>(null)
  const [recorded, setRecorded] = useState<Recorded | null>(null)
  const [levels, setLevels] = useState<readonly number[]>([])
  const [elapsedMs, setElapsed] = useState(0)
  const [refusal, setRefusal] = useState<unknown>(null)
  const [attempt, setAttempt] = useState(0)
  const { busy, error, act } = useAct()
  useEffect(() => {
    let gone = false
    VoiceRecording.start((now, elapsed) => {
      setLevels(waveformOf(now).map(level => level / 1024))
      setElapsed(elapsed)
    }).then(
      started => {
        if (gone) started.discard()
        else recording.current = started
      },
      failure => {
        if (!gone) setRefusal(failure)
      },
    )
    return () => {
      gone = true
      recording.current?.discard()
      recording.current = null
    }
  }, [attempt])
  const acts = useRef<HTMLDivElement>(null)
  // The button that had the focus is gone.
  useEffect(() => {
    if (recorded) acts.current?.querySelector<HTMLElement>('.main')?.focus()
  }, [recorded])
  const stop = async () => {
    const stopped = await recording.current?.stop()
    recording.current = null
    if (stopped) setRecorded(stopped)
  }
  const again = () => {
    setRecorded(null)
    setElapsed(0)
    setAttempt(attempt + 1)
  }
  const send = async () => {
    const { blob, durationMs, waveform } = recorded!
    const ending = { 'audio/ogg': 'ogg', 'audio/webm': 'webm', 'audio/mp4': 'm4a' }[blob.type] ?? 'audio'
    await call('sendFile', {
      roomId,
      file: blob,
      name: `${t('room.fileVoice')}.${ending}`,
      durationMs,
      waveform,
      ...(threadRoot !== null && { threadRoot }),
      ...(replyTo !== null && { replyTo }),
    })
  }
  return (
    <Dialog title={t('room.voiceTitle')} onClose={onClose}>
      {refusal !== null ? (
        <Notice tone="warn">
          <p>
            {t((refusal as Error).name === 'NotFoundError' ? 'room.voiceNone' : 'room.voiceNoMicrophone')}
          </p>
        </Notice>
      ) : (
        <div class="recording">
          <p role="status">
            {!recorded && <span class="recording-dot" aria-hidden="true" />}
            {recorded ? t('room.voiceReady') : t('room.voiceRecording')}
          </p>
          <Waveform
            levels={recorded ? recorded.waveform.map(level => level / 1024) : levels}
            at={recorded ? 0 : 1}
          />
          <p class="voice-time">{formatDuration(recorded?.durationMs ?? elapsedMs)}</p>
          {recorded && <Heard blob={recorded.blob} />}
        </div>
      )}
      {error !== null && <Failure error={error} />}
      <div ref={acts}>
        <Actions>
          {recorded ? (
            <>
              <Button onClick={again} disabled={busy}>
                {t('room.voiceAgain')}
              </Button>
              <Button tone="main" busy={busy} onClick={async () => (await act(send)) && onSent()}>
                {t('room.voiceSend')}
              </Button>
            </>
          ) : (
            refusal === null && (
              <Button tone="main" autoFocus onClick={() => void stop()}>
                {t('room.voiceStop')}
              </Button>
            )
          )}
        </Actions>
      </div>
    </Dialog>
  )
}

function Heard({ blob }: { blob: Blob }) {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    const made = URL.createObjectURL(blob)
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return address === null ? null : (
    // biome-ignore lint/a11y/useMediaCaption: what somebody just said has none
    <audio class="sound" controls src={address} aria-label={t('room.fileVoice')} />
  )
}
