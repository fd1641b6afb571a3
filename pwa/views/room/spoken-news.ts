/** What a screen reader says of messages that come while the room is open: one line, the newest. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { plainName } from '../parts/plain-name.ts'
import { wordsOf } from './message-content.ts'
import type { TimelineStretch } from './timeline-stretch.ts'

const longest = 300

export function useSpokenNews(stretch: TimelineStretch, ourUserId: string): string {
  const [news, setNews] = useState('')
  const newestTs = useRef<number | null>(null)
  const newest = stretch.hasNewer ? undefined : stretch.items.at(-1)
  useEffect(() => {
    if (!newest) return
    const isNew = newestTs.current !== null && newest.ts > newestTs.current
    newestTs.current = Math.max(newestTs.current ?? 0, newest.ts)
    if (!isNew || newest.sender === ourUserId || newest.stateKey !== null) return
    const text = wordsOf(newest.content, newest.replyTo !== null).text.slice(0, longest)
    setNews(t('room.said', { name: plainName(newest.senderName) ?? newest.sender, text }))
  }, [newest])
  return news
}
