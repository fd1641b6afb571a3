/** A room: who can read it, what was said, and where to say something. */
import './room-view.css'
import { useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId, rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Notice } from '../parts/notice.tsx'
import { go } from '../route.ts'
import { type Asked, useAsked } from '../use-asked.ts'
import { Conversation } from './conversation.tsx'
import type { Question } from './room-ground.ts'
import { RoomHead } from './room-head.tsx'

export function RoomView({
  roomId,
  eventId = null,
  onBack,
  onReaders,
}: {
  roomId: string
  /** The message to show. */
  eventId?: string | null
  /** On a phone: to the list. */
  onBack?: () => void
  /** Opens the side pane that says who can read this. */
  onReaders?: () => void
}) {
  const entry = rooms.value?.get(roomId) ?? null
  const { answer: detail, error } = useRoomDetail(roomId)
  const [question, setQuestion] = useState<Question | null>(null)
  const column = useRef<HTMLElement>(null)
  if (!entry && (error !== null || (rooms.value !== null && detail === null))) {
    return (
      <section class="room-column" aria-label={t('room.messages')}>
        <Empty
          title={t('room.notThere')}
          actions={<Button onClick={() => go({ view: 'start' })}>{t('parts.back')}</Button>}
        >
          <p>{t('room.notThereText')}</p>
        </Empty>
      </section>
    )
  }
  return (
    <section class="room-column" ref={column} aria-labelledby="room-title">
      <RoomHead entry={entry} detail={detail} onBack={onBack} onReaders={onReaders} onAsk={setQuestion} />
      {entry?.replacedBy != null && (
        <Notice
          actions={
            <Button onClick={() => go({ view: 'room', roomId: entry.replacedBy! })}>
              {t('room.openReplacement')}
            </Button>
          }
        >
          <p>{t('room.replaced')}</p>
        </Notice>
      )}
      <Conversation
        key={roomId}
        roomId={roomId}
        threadRoot={null}
        eventId={eventId}
        entry={entry}
        detail={detail}
        question={question}
        onQuestion={setQuestion}
      />
    </section>
  )
}

export function useRoomDetail(roomId: string): Asked<RoomDetail> {
  const asked = useAsked(
    `room ${roomId} ${ourUserId.value}`,
    () => call('room', roomId),
    notice =>
      (notice.kind === 'rooms' && notice.changed.some(entry => entry.roomId === roomId)) ||
      (notice.kind === 'members' && notice.roomId === roomId),
  )
  // What says the same as before stays the same object: every line of the ledger would be drawn anew.
  const known = useRef<RoomDetail | null>(null)
  if (JSON.stringify(asked.answer) !== JSON.stringify(known.current)) known.current = asked.answer
  return { ...asked, answer: known.current }
}
