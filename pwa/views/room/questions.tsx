/** What opens over a conversation: one at a time, each loaded when it is first asked for. */
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { lazy } from '../parts/lazy.tsx'
import { attachedFile } from './attached-file.ts'
import { react } from './message-acts.ts'
import { type Question, useGround } from './room-ground.ts'

const EmojiPicker = lazy(async () => (await import('./emoji-picker.tsx')).EmojiPicker)
const ImageViewer = lazy(async () => (await import('./image-viewer.tsx')).ImageViewer)
const ShieldExplanation = lazy(
  async () => (await import('../trust/shield-explanation.tsx')).ShieldExplanation,
)
const DeleteMessage = lazy(async () => (await import('./delete-message.tsx')).DeleteMessage)
const MessageHistory = lazy(async () => (await import('./message-history.tsx')).MessageHistory)
const MessageDetails = lazy(async () => (await import('./message-details.tsx')).MessageDetails)
const Pinned = lazy(async () => (await import('./pinned.tsx')).Pinned)
const InvitePeople = lazy(async () => (await import('../trust/invite-people.tsx')).InvitePeople)
const GoToDate = lazy(async () => (await import('./go-to-date.tsx')).loadGoToDate())

export function Questions({
  question,
  items,
  onClose,
  onDate,
}: {
  question: Question
  /** What is held of the timeline. */
  items: readonly TimelineItem[]
  onClose: () => void
  onDate: (ts: number) => void
}) {
  const ground = useGround()
  switch (question.kind) {
    case 'emoji':
      return (
        <EmojiPicker
          onClose={onClose}
          onChoose={emoji => {
            onClose()
            void react(question.item, emoji)
          }}
        />
      )
    case 'picture':
      return <ImageViewer item={question.item} among={items.filter(isPicture)} onClose={onClose} />
    case 'shield':
      return (
        <ShieldExplanation
          shield={question.item.shield}
          sender={question.item.sender}
          keyGivenBy={question.item.keyGivenBy}
          onClose={onClose}
        />
      )
    case 'delete':
      return <DeleteMessage item={question.item} onClose={onClose} />
    case 'history':
      return <MessageHistory item={question.item} onClose={onClose} />
    case 'details':
      return <MessageDetails item={question.item} items={items} onClose={onClose} />
    case 'pinned':
      return (
        <Pinned
          pinned={ground.detail?.pinned ?? []}
          onClose={onClose}
          onShow={eventId => {
            onClose()
            ground.show(eventId)
          }}
        />
      )
    case 'invite':
      return (
        ground.detail && (
          <InvitePeople detail={ground.detail} members={[...ground.members.values()]} onClose={onClose} />
        )
      )
    case 'date':
      return (
        <GoToDate
          onClose={onClose}
          onGo={ts => {
            onClose()
            onDate(ts)
          }}
        />
      )
  }
}

function isPicture(item: TimelineItem): boolean {
  if (item.redacted || item.unreadable) return false
  const file = attachedFile(item.type, item.content)
  return file?.as === 'image' && file.source !== null
}
