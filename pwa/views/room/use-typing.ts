/** Tells others that somebody writes, and hears it of them. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { call, onNotice } from '../account.ts'

const againAfterMs = 4000

/** `onText` at each change; `onStop` when it was sent or put away. */
export function useTypingNotice(roomId: string): { onText: (text: string) => void; onStop: () => void } {
  const last = useRef(0)
  const tell = (typing: boolean) => void call('typing', { roomId, typing }).catch(() => {})
  const onStop = () => {
    if (last.current === 0) return
    last.current = 0
    tell(false)
  }
  useEffect(() => onStop, [roomId])
  return {
    onStop,
    onText: text => {
      if (text.trim() === '') return onStop()
      const now = Date.now()
      if (now - last.current < againAfterMs) return
      last.current = now
      tell(true)
    },
  }
}

/** Who writes here now, without us. */
export function useTyping(roomId: string, ourUserId: string): readonly string[] {
  const [userIds, setUserIds] = useState<readonly string[]>([])
  useEffect(() => {
    let gone = false
    setUserIds([])
    call('typingIn', roomId).then(
      found => {
        if (!gone) setUserIds(found)
      },
      () => {},
    )
    const stop = onNotice(notice => {
      if (notice.kind === 'typing' && notice.roomId === roomId) setUserIds(notice.userIds)
    })
    return () => {
      gone = true
      stop()
    }
  }, [roomId])
  return userIds.filter(userId => userId !== ourUserId)
}
