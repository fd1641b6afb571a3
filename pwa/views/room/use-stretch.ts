/** The stretch of a timeline in a view: asked for when it opens, and again when the worker says that something changed. */
import { useEffect, useMemo, useReducer } from 'preact/hooks'
import { call, onNotice } from '../account.ts'
import { TimelineStretch } from './timeline-stretch.ts'

export function useStretch(roomId: string, threadRoot: string | null): TimelineStretch {
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0)
  const stretch = useMemo(
    () =>
      new TimelineStretch(
        { roomId, ...(threadRoot !== null && { threadRoot }) },
        query => call('timeline', query),
        () => redraw(undefined),
      ),
    [roomId, threadRoot],
  )
  useEffect(() => {
    const stop = onNotice(notice => {
      const isOurs = notice.kind === 'timeline' && notice.roomId === roomId
      const isBack = notice.kind === 'connection' && notice.connection.state === 'online' && stretch.offline
      if (isOurs || isBack) void stretch.refresh()
    })
    return () => {
      stop()
      stretch.close()
    }
  }, [stretch])
  return stretch
}
