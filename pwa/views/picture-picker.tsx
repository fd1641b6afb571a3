import { useRef, useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Button } from './parts/button.tsx'
import { Failure, Notice } from './parts/notice.tsx'
import { isDrawable } from './parts/picture-size.ts'
import { useAct } from './use-act.ts'

const side = 512

/** A picture of a person or a room: drawn anew as a square, so that neither size nor place of a photograph goes along. */
export function PicturePicker({
  has,
  onPick,
}: {
  /** There is one, and it can be taken away. */
  has: boolean
  onPick: (image: Blob | null) => Promise<unknown>
}) {
  const input = useRef<HTMLInputElement>(null)
  const [isUnreadable, setUnreadable] = useState(false)
  const { busy, error, act } = useAct()
  const pick = async (file: File | undefined) => {
    if (!file) return
    setUnreadable(false)
    const image = await squareOf(file).catch(() => null)
    if (!image) return setUnreadable(true)
    await act(() => onPick(image))
  }
  return (
    <div class="picture-picker">
      <input
        ref={input}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        hidden
        onChange={event => {
          void pick(event.currentTarget.files?.[0])
          event.currentTarget.value = ''
        }}
      />
      <Button busy={busy} onClick={() => input.current?.click()}>
        {t('trust.changePicture')}
      </Button>
      {has && (
        <Button tone="quiet" disabled={busy} onClick={() => act(() => onPick(null))}>
          {t('trust.removePicture')}
        </Button>
      )}
      {isUnreadable && <Notice tone="warn">{t('trust.pictureUnreadable')}</Notice>}
      {error !== null && <Failure error={error} />}
    </div>
  )
}

/** The middle of it. @throws DOMException, RangeError where the browser cannot read it, or should not */
async function squareOf(file: Blob): Promise<Blob> {
  if (!(await isDrawable(file))) throw new RangeError('no picture that could be drawn')
  const picture = await createImageBitmap(file)
  const { width, height } = picture
  const cut = Math.min(width, height)
  const size = Math.min(side, cut)
  const canvas = new OffscreenCanvas(size, size)
  canvas
    .getContext('2d')!
    .drawImage(picture, (width - cut) / 2, (height - cut) / 2, cut, cut, 0, 0, size, size)
  picture.close()
  return canvas.convertToBlob({ type: 'image/webp', quality: 0.85 })
}
