import './room-view.css'
import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { rooms } from '../account.ts'
import { IconButton } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import { go } from '../route.ts'
import { Conversation } from './conversation.tsx'
import type { Question } from './room-ground.ts'
import { useRoomDetail } from './room-view.tsx'

/** A thread, beside the room or in its place: its root and what was answered. */
export function ThreadView({ roomId, threadRoot }: { roomId: string; threadRoot: string }) {
  const entry = rooms.value?.get(roomId) ?? null
  const { answer: detail } = useRoomDetail(roomId)
  const [question, setQuestion] = useState<Question | null>(null)
  const close = () => go({ view: 'room', roomId })
  return (
    <section
      class="room-column thread"
      aria-labelledby="thread-title"
      onKeyDown={event => {
        const isInDialog = event.target instanceof Element && event.target.closest('dialog') !== null
        if (event.key === 'Escape' && !event.defaultPrevented && !isInDialog) close()
      }}
    >
      <header class="room-head">
        <div class="room-words">
          <h2 id="thread-title">{t('room.thread')}</h2>
          <p>
            <Name of={entry?.name} limit={80} />
          </p>
        </div>
        <IconButton icon="close" label={t('room.closeThread')} onClick={close} />
      </header>
      <Conversation
        key={threadRoot}
        roomId={roomId}
        threadRoot={threadRoot}
        eventId={null}
        entry={entry}
        detail={detail}
        question={question}
        onQuestion={setQuestion}
      />
    </section>
  )
}
