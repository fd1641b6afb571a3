/** One line of the ledger: who, what, and in the margin when, or how far it is. */
import './message.css'
import { formatDateTime, formatTime, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/name.tsx'
import { inkOf } from '../parts/plain-name.ts'
import { addressOf } from '../route.ts'
import { Findings } from './findings.tsx'
import { MessageBody } from './message-body.tsx'
import { MessageTools } from './message-tools.tsx'
import { Quotation } from './quotation.tsx'
import { Reactions } from './reactions.tsx'
import { serverOf, useGround } from './room-ground.ts'
import { ThreadSummaryLine } from './thread-summary.tsx'
import type { MessageRow } from './timeline-rows.ts'
import { isFromElsewhere } from './trust-words.ts'

export function Message({
  row,
  isActive,
  isFlashed,
}: {
  row: MessageRow
  isActive: boolean
  isFlashed: boolean
}) {
  const { threadRoot } = useGround()
  const { item, isOurs, isFirst } = row
  const classes = [
    'message',
    isOurs && 'ours',
    isFirst && 'first',
    item.mentionsUs && 'mentions-us',
    item.state === 'failed' && 'failed',
    isFlashed && 'flash',
  ]
  return (
    <li class={classes.filter(Boolean).join(' ')} data-key={row.key} tabIndex={-1}>
      <Margin row={row} isActive={isActive} />
      <div class="entry">
        {isFirst && <Who item={item} isOurs={isOurs} />}
        <div class="sheet">
          {item.replyTo && !isFallback(item, threadRoot) && <Quotation of={item.replyTo} />}
          <MessageBody item={item} />
          {item.editedTs !== null && !item.redacted && (
            <small class="edited" title={formatDateTime(item.editedTs)}>
              {t('room.edited')}
            </small>
          )}
        </div>
        {item.reactions.length > 0 && <Reactions item={item} />}
        {item.thread && threadRoot === null && <ThreadSummaryLine item={item} thread={item.thread} />}
        <Findings item={item} saysShield={row.saysShield} />
      </div>
      {isActive && <MessageTools item={item} />}
    </li>
  )
}

/** In a thread, an answer to what came before is only said for clients that know no threads. */
function isFallback(item: TimelineItem, threadRoot: string | null): boolean {
  const relation = item.content['m.relates_to'] as { is_falling_back?: unknown } | null | undefined
  return threadRoot !== null && relation?.is_falling_back === true
}

function Who({ item, isOurs }: { item: TimelineItem; isOurs: boolean }) {
  const { members, ourUserId } = useGround()
  const member = members.get(item.sender)
  const server = serverOf(item.sender)
  if (isOurs) return <span class="spoken">{item.senderName}</span>
  return (
    <p class="who">
      <a class={`ink-${inkOf(item.sender)}`} href={addressOf({ view: 'person', userId: item.sender })}>
        <Name of={item.senderName} fallback={item.sender} limit={60} />
      </a>
      {member?.ambiguous && (
        <small dir="ltr" class="id">
          {item.sender}
        </small>
      )}
      {server !== serverOf(ourUserId) && (
        <small dir="ltr" class="id">
          {server}
        </small>
      )}
      {member?.external && server === serverOf(ourUserId) && <small class="guest">{t('trust.guest')}</small>}
    </p>
  )
}

const stateKeys = {
  queued: 'room.stateQueued',
  sending: 'room.stateSending',
  sent: 'room.stateSent',
  read: 'room.stateRead',
  failed: 'room.stateFailed',
} as const

function Margin({ row, isActive }: { row: MessageRow; isActive: boolean }) {
  const { item, margin } = row
  const time = (
    <time dateTime={isoTime(item.ts)} title={formatDateTime(item.ts)}>
      {formatTime(item.ts)}
    </time>
  )
  const mark = isFromElsewhere(item) && (
    <span class="shield-mark" role="img" aria-label={t('room.shieldMark')} title={t('room.shieldMark')}>
      <Icon name="shield" size={12} />
    </span>
  )
  if (margin === 'state' && item.state !== null) {
    return (
      <div class={`margin state ${item.state}`} title={formatDateTime(item.ts)}>
        {mark}
        {isActive && item.state !== 'failed' ? time : t(stateKeys[item.state])}
      </div>
    )
  }
  return (
    <div class="margin">
      {mark}
      {margin === 'time' || isActive ? time : <span class="spoken">{time}</span>}
    </div>
  )
}

/** Any number may stand there; not every one is a time. */
function isoTime(ts: number): string | undefined {
  return Math.abs(ts) <= 8.64e15 ? new Date(ts).toISOString() : undefined
}
