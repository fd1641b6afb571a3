/** What was seen is read: by whoever looks at it, not by a window behind others. */
import { useEffect, useRef } from 'preact/hooks'
import { call } from '../account.ts'
import { lastInView } from './scroll-anchor.ts'
import type { TimelineStretch } from './timeline-stretch.ts'

const readAfterMs = 400

export function useReadMarks(
  scroller: { current: HTMLElement | null },
  stretch: TimelineStretch,
  roomId: string,
  threadRoot: string | null,
  isAtEnd: boolean,
): void {
  const marked = useRef(0)
  const newest = stretch.items.findLast(item => item.eventId !== null)?.eventId ?? null
  useEffect(() => {
    const mark = () => {
      if (!document.hasFocus() || document.visibilityState !== 'visible' || !scroller.current) return
      const line = isAtEnd ? null : lastInView(scroller.current)
      const index = line
        ? stretch.items.findLastIndex(item => item.key === line.dataset['key'] && item.eventId !== null)
        : stretch.items.findLastIndex(item => item.eventId !== null)
      const item = stretch.items[index]
      if (!item || item.ts <= marked.current || (isAtEnd && stretch.hasNewer)) return
      marked.current = item.ts
      void call('markRead', {
        roomId,
        eventId: item.eventId!,
        ...(threadRoot !== null && { threadRoot }),
      }).catch(() => {
        marked.current = 0
      })
    }
    let timer = setTimeout(mark, readAfterMs)
    const soon = () => {
      clearTimeout(timer)
      timer = setTimeout(mark, readAfterMs)
    }
    const element = scroller.current
    element?.addEventListener('scroll', soon, { passive: true })
    addEventListener('focus', soon)
    return () => {
      clearTimeout(timer)
      element?.removeEventListener('scroll', soon)
      removeEventListener('focus', soon)
    }
  }, [newest, isAtEnd, stretch.isOpen, roomId, threadRoot])
}
