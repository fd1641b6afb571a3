/** A picture, large: zoom by keys, wheel, buttons and two fingers, go on to the next, save. Loaded when first asked for. */
import './image-viewer.css'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { IconButton } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAct } from '../use-act.ts'
import { attachedFile } from './attached-file.ts'
import { saveMedia, useMedia } from './media-address.ts'
import { fullQuestion } from './picture.tsx'
import { fitted, moved, type View, zoomed } from './zoom.ts'

export function ImageViewer({
  item,
  among,
  onClose,
}: {
  item: TimelineItem
  /** The pictures that are held, the oldest first. */
  among: readonly TimelineItem[]
  onClose: () => void
}) {
  const [key, setKey] = useState(item.key)
  const index = Math.max(
    0,
    among.findIndex(each => each.key === key),
  )
  const shown = among[index] ?? item
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
    return () => dialog.current?.close()
  }, [])
  const go = (step: number) => {
    const next = among[index + step]
    if (next) setKey(next.key)
  }
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={t('room.viewer')}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      onKeyDown={event => {
        const forward = document.documentElement.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
        if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') go(event.key === forward ? 1 : -1)
      }}
    >
      <Stage key={shown.key} item={shown} onClose={onClose}>
        {among.length > 1 && (
          <>
            <IconButton
              icon="back"
              label={t('room.previous')}
              disabled={index === 0}
              onClick={() => go(-1)}
            />
            <span class="viewer-place">{t('room.viewerOf', { index: index + 1, total: among.length })}</span>
            <IconButton
              icon="forward"
              label={t('room.nextPicture')}
              disabled={index === among.length - 1}
              onClick={() => go(1)}
            />
          </>
        )}
      </Stage>
    </dialog>
  )
}

function Stage({
  item,
  onClose,
  children,
}: {
  item: TimelineItem
  onClose: () => void
  children: preact.ComponentChildren
}) {
  const file = attachedFile(item.type, item.content)
  const source = file?.source ?? null
  const { address, error, again } = useMedia(file && source && fullQuestion(file, source))
  const saving = useAct()
  const [view, setView] = useState<View>(fitted)
  const [isBroken, setBroken] = useState(false)
  const image = useRef<HTMLImageElement>(null)
  useLayoutEffect(() => {
    image.current?.style.setProperty('--zoom', String(view.zoom))
    image.current?.style.setProperty('--x', `${view.x}px`)
    image.current?.style.setProperty('--y', `${view.y}px`)
  })
  const name = plainName(file?.name) ?? t('room.fileImage')
  const pointers = usePointers(change => setView(now => change(now)))
  return (
    <>
      <header class="viewer-bar">
        <div class="viewer-words">
          <Name of={file?.name} fallback={name} />
          <small>
            <Name of={item.senderName} fallback={item.sender} /> · {formatDateTime(item.ts)}
          </small>
        </div>
        {children}
        <IconButton icon="plus" label={t('room.zoomIn')} onClick={() => setView(zoomed(view, 1.5))} />
        <IconButton icon="image" label={t('room.zoomFit')} onClick={() => setView(fitted)} />
        {source && (
          <IconButton
            icon="download"
            label={t('room.savePicture')}
            disabled={saving.busy}
            onClick={() => void saving.act(() => saveMedia(fullQuestion(file!, source), name))}
          />
        )}
        <IconButton icon="close" label={t('parts.close')} onClick={onClose} />
      </header>
      {saving.error !== null && <Failure error={saving.error} />}
      <section
        class="viewer-stage"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the stage has keys of its own
        tabIndex={0}
        aria-label={name}
        onKeyDown={event => {
          if (event.key === '+' || event.key === '=') setView(zoomed(view, 1.25))
          else if (event.key === '-') setView(zoomed(view, 0.8))
          else if (event.key === '0') setView(fitted)
        }}
        onWheel={event => setView(zoomed(view, event.deltaY < 0 ? 1.15 : 1 / 1.15))}
        onDblClick={() => setView(view.zoom > 1 ? fitted : zoomed(fitted, 2.5))}
        {...pointers}
      >
        {error !== null ? (
          <Failure error={error} onRetry={again} />
        ) : isBroken ? (
          <p>{t('room.pictureLost')}</p>
        ) : address === null ? (
          <Skeleton lines={1} />
        ) : (
          <img ref={image} src={address} alt={name} draggable={false} onError={() => setBroken(true)} />
        )}
      </section>
    </>
  )
}

/** One pointer moves, two zoom. */
function usePointers(change: (how: (view: View) => View) => void) {
  const down = useRef(new Map<number, { x: number; y: number }>())
  const distance = () => {
    const [a, b] = [...down.current.values()]
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0
  }
  const up = (event: PointerEvent) => void down.current.delete(event.pointerId)
  return {
    onPointerDown: (event: PointerEvent) => {
      down.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
      ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
    },
    onPointerMove: (event: PointerEvent) => {
      const before = down.current.get(event.pointerId)
      if (!before) return
      const apart = distance()
      down.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
      if (down.current.size === 2 && apart > 0) change(view => zoomed(view, distance() / apart))
      else if (down.current.size === 1)
        change(view => moved(view, event.clientX - before.x, event.clientY - before.y))
    },
    onPointerUp: up,
    onPointerCancel: up,
  }
}
