/** The timeline of a room or a thread with its composer, and whatever is asked over it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { ourUserId } from '../account.ts'
import { lazy } from '../parts/lazy.tsx'
import { plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { Blocked } from './blocked.tsx'
import { Composer } from './composer.tsx'
import { emptyDraft } from './draft.ts'
import { Frozen } from './frozen.tsx'
import { canEdit } from './message-acts.ts'
import { saidBy, wordsOf } from './message-content.ts'
import { Questions } from './questions.tsx'
import { GroundProvider, type Question, type RoomGround } from './room-ground.ts'
import { StandingLine } from './standing-line.tsx'
import { Timeline } from './timeline.tsx'
import { TypingLine } from './typing-line.tsx'
import { useDraft } from './use-draft.ts'
import { useMembers } from './use-members.ts'
import { useStretch } from './use-stretch.ts'

const FileSheet = lazy(async () => (await import('./file-sheet.tsx')).FileSheet)
const VoiceRecorder = lazy(async () => (await import('./voice-recorder.tsx')).VoiceRecorder)

/** From so many new messages on, a room opens where reading stopped. */
const manyNew = 15

export function Conversation({
  roomId,
  threadRoot,
  eventId,
  entry,
  detail,
  question,
  onQuestion,
}: {
  roomId: string
  threadRoot: string | null
  eventId: string | null
  entry: RoomEntry | null
  detail: RoomDetail | null
  question: Question | null
  onQuestion: (question: Question | null) => void
}) {
  const us = ourUserId.value
  const stretch = useStretch(roomId, threadRoot)
  const members = useMembers(roomId)
  const { draft, isRead, change, giveBack } = useDraft(roomId, threadRoot)
  const [target, setTarget] = useState<string | null>(null)
  const [files, setFiles] = useState<readonly File[] | null>(null)
  const [isRecording, setRecording] = useState(false)
  const readUpTo = useFirstReadUpTo(detail)
  const column = useRef<HTMLDivElement>(null)
  const latestDraft = useRef(draft)
  latestDraft.current = draft

  // Where the room opens: at the message of the address, where reading stopped, or at the end.
  useEffect(() => {
    if (eventId !== null) {
      setTarget(eventId)
      if (!stretch.items.some(item => item.eventId === eventId)) void stretch.open({ eventId })
    } else if (!stretch.isOpen) void stretch.open('end')
  }, [eventId, stretch])
  const hasManyNew = (entry?.unread ?? 0) >= manyNew && threadRoot === null && eventId === null
  const opensAt = useRef(hasManyNew)
  useEffect(() => {
    if (!opensAt.current || readUpTo === null) return
    opensAt.current = false
    setTarget('unread')
    void stretch.open({ eventId: readUpTo })
  }, [readUpTo, stretch])

  const show = (id: string) => {
    setTarget(id)
    if (!stretch.items.some(item => item.eventId === id)) void stretch.open({ eventId: id })
  }
  const ground = useMemo<RoomGround>(
    () => ({
      roomId,
      threadRoot,
      entry,
      detail,
      members,
      ourUserId: us,
      show,
      ask: onQuestion,
      reply: item =>
        change({
          ...(latestDraft.current.editing ? emptyDraft : latestDraft.current),
          replyTo: answered(item),
        }),
      edit: item => change(editOf(item)),
    }),
    [roomId, threadRoot, entry?.encrypted, entry?.unread, detail, members, us, stretch],
  )

  const last = stretch.items.findLast(item => item.eventId !== null)?.eventId ?? threadRoot
  const thread = threadRoot === null ? null : { root: threadRoot, last: last ?? threadRoot }
  const recent = useMemo(
    () => [...new Set(stretch.items.toReversed().map(item => item.sender))],
    [stretch.items],
  )
  const toEnd = () => {
    if (eventId !== null) go({ view: 'room', roomId }, { replace: true })
    if (stretch.hasNewer) void stretch.open('end')
  }
  const editLast = () => {
    const item = stretch.items.findLast(each => canEdit(each, us))
    if (item) change(editOf(item))
  }
  const isDragged = useFileDrop(column, dropped => setFiles(dropped), detail?.may.send ?? true)
  const replyTo = draft.replyTo?.eventId ?? null
  const sentFiles = () => {
    setFiles(null)
    setRecording(false)
    if (draft.replyTo) change({ ...draft, replyTo: null })
    toEnd()
  }

  return (
    <GroundProvider value={ground}>
      <div class={isDragged ? 'conversation dropping' : 'conversation'} ref={column}>
        <Timeline
          stretch={stretch}
          readUpTo={readUpTo}
          target={target}
          onTargetShown={() => setTarget(null)}
        />
        <TypingLine />
        {entry && entry.blockedBy.length > 0 && <Blocked entry={entry} members={members} />}
        {entry && !entry.frozen && <StandingLine entry={entry} />}
        {entry?.frozen ? (
          <Frozen entry={entry} />
        ) : detail?.may.send === false ? (
          <p class="may-not-send">{t('room.mayNotSend')}</p>
        ) : (
          <div class="composer-place" inert={!isRead}>
            <Composer
              mayFocus={isRead && eventId === null}
              draft={draft}
              onDraft={change}
              onUnsent={giveBack}
              thread={thread}
              recent={recent}
              onEditLast={editLast}
              onFiles={chosen => chosen.length > 0 && setFiles(chosen)}
              onVoice={() => setRecording(true)}
              onSent={toEnd}
            />
          </div>
        )}
        {isDragged && <p class="drop-words">{t('room.dropHere')}</p>}
        {files && (
          <FileSheet files={files} replyTo={replyTo} onClose={() => setFiles(null)} onSent={sentFiles} />
        )}
        {isRecording && (
          <VoiceRecorder replyTo={replyTo} onClose={() => setRecording(false)} onSent={sentFiles} />
        )}
        {question && (
          <Questions
            question={question}
            items={stretch.items}
            onClose={() => onQuestion(null)}
            onDate={ts => void stretch.open({ ts })}
          />
        )}
      </div>
    </GroundProvider>
  )
}

/** Where reading had stopped when the room was opened: the line stays there while we read on. */
function useFirstReadUpTo(detail: RoomDetail | null): string | null {
  const first = useRef<{ readonly eventId: string | null } | null>(null)
  if (detail && !first.current) first.current = { eventId: detail.readUpTo }
  return first.current?.eventId ?? null
}

function answered(item: TimelineItem) {
  const said = saidBy(item)
  const text =
    said.kind === 'file' ? (said.file.name ?? '') : wordsOf(item.content, item.replyTo !== null).text
  return {
    eventId: item.eventId!,
    sender: item.sender,
    senderName: plainName(item.senderName) ?? item.sender,
    text: text.slice(0, 200),
  }
}

function editOf(item: TimelineItem) {
  const mentions = item.content['m.mentions'] as { user_ids?: unknown } | undefined
  const ids = Array.isArray(mentions?.user_ids) ? mentions.user_ids.filter(id => typeof id === 'string') : []
  const { text } = wordsOf(item.content, item.replyTo !== null)
  return {
    text: item.content['msgtype'] === 'm.emote' ? `/me ${text}` : text,
    mentions: [],
    replyTo: null,
    editing: { eventId: item.eventId!, mentioned: ids },
  }
}

/** Files dragged over the conversation. */
function useFileDrop(
  column: { current: HTMLElement | null },
  onDrop: (files: readonly File[]) => void,
  isOn: boolean,
): boolean {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const element = column.current
    if (!element || !isOn) return
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const over = (event: DragEvent) => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (!element.contains(event.relatedTarget as Node | null)) setOver(false)
    }
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length > 0) onDrop(files)
    }
    element.addEventListener('dragover', over)
    element.addEventListener('dragleave', leave)
    element.addEventListener('drop', drop)
    return () => {
      element.removeEventListener('dragover', over)
      element.removeEventListener('dragleave', leave)
      element.removeEventListener('drop', drop)
    }
  }, [isOn])
  return isOver
}
