import './qr-code.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { isKey, t } from '../../i18n/i18n.ts'
import { Notice } from './notice.tsx'
import { readSymbol } from './qr-symbol.ts'

/** More pixels than a code needs only take longer. */
const longestSide = 720
const pauseMs = 120

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === 'function'
}

/** Looks through the camera until it goes away; every code that it reads is handed on, as bytes. */
export function QrScanner({
  label,
  onRead,
}: {
  label: string
  onRead: (bytes: Uint8Array<ArrayBuffer>) => void
}) {
  const video = useRef<HTMLVideoElement>(null)
  const read = useRef(onRead)
  read.current = onRead
  const [refusal, setRefusal] = useState<string | null>(null)
  useEffect(() => {
    let stream: MediaStream | null = null
    let gone = false
    const look = async () => {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 1280 } },
      })
      if (gone) return stop(stream)
      const element = video.current!
      element.srcObject = stream
      await element.play()
      while (!gone) {
        const picture = pictureOf(element)
        const bytes = picture && (await readSymbol(picture))
        if (bytes && !gone) read.current(bytes)
        await new Promise(resolve => setTimeout(resolve, pauseMs))
      }
    }
    look().catch((error: Error) => {
      if (!gone) setRefusal(error.name)
    })
    return () => {
      gone = true
      if (stream) stop(stream)
    }
  }, [])
  if (refusal) {
    const key = `parts.camera_${refusal}`
    return <Notice tone="warn">{t(isKey(key) ? key : 'parts.camera_none')}</Notice>
  }
  return (
    <div class="qr-scanner">
      <video ref={video} muted playsInline aria-label={label} />
    </div>
  )
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

/** Null until the camera gives one. */
function pictureOf(video: HTMLVideoElement): ImageData | null {
  const { videoWidth, videoHeight } = video
  if (videoWidth === 0) return null
  const scale = Math.min(1, longestSide / Math.max(videoWidth, videoHeight))
  const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)]
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return null
  context.drawImage(video, 0, 0, width, height)
  return context.getImageData(0, 0, width, height)
}
