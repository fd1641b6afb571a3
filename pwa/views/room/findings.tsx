import { formatList, parts, t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/name.tsx'
import { errorText } from '../parts/notice.tsx'
import { discard, retry } from './message-acts.ts'
import { nameIn, useGround } from './room-ground.ts'
import { transferOf } from './transfers.ts'
import { isBlocked, isFromElsewhere, shieldKey } from './trust-words.ts'

/** What is to be said about a message: where it comes from, in words; why it does not leave, and what to do. */
export function Findings({ item, saysShield }: { item: TimelineItem; saysShield: boolean }) {
  const ground = useGround()
  const found = saysShield ? shieldKey(item, ground.entry?.encrypted ?? false) : null
  // Many messages share it on a device that began with a backup: said of all that follow, each has its mark in the margin.
  const run = item.keyGivenBy === null ? 'room.shieldRun' : 'room.shieldRunGivenBy'
  const key = found !== null && isFromElsewhere(item) ? run : found
  return (
    <>
      {key !== null && (
        <button type="button" class="finding" onClick={() => ground.ask({ kind: 'shield', item })}>
          <Icon name="shield" size={14} />
          <span>
            {parts(key, {
              name: <Name of={item.senderName} fallback={item.sender} limit={60} />,
              giver: (
                <Name of={item.keyGivenBy === null ? null : nameIn(ground, item.keyGivenBy)} limit={60} />
              ),
            })}
          </span>
        </button>
      )}
      {item.problem && <Problem item={item} problem={item.problem} />}
      {item.state === 'failed' && (
        <p class="finding-acts">
          <Button tone="quiet" onClick={() => void retry(item)}>
            {t('room.retry')}
          </Button>
          <Button tone="quiet" onClick={() => void discard(item)}>
            {t('room.discard')}
          </Button>
        </p>
      )}
    </>
  )
}

function Problem({ item, problem }: { item: TimelineItem; problem: NonNullable<TimelineItem['problem']> }) {
  const ground = useGround()
  if (problem.code === 'TRANSFER_PAUSED') return <PausedUpload id={item.key} />
  const names = formatList(problem.blockedBy.map(userId => nameIn(ground, userId)))
  return (
    <div class={item.state === 'failed' ? 'problem bad' : 'problem'}>
      <p>{isBlocked(problem) ? t('room.problemBlocked', { names }) : errorText(problem)}</p>
      {!isBlocked(problem) && problem.message !== '' && (
        <details>
          <summary>{t('parts.details')}</summary>
          <p class="notice-detail" dir="auto">
            {problem.message.slice(0, 500)}
          </p>
        </details>
      )}
    </div>
  )
}

/** Where the transfer is known, its own line says so and has the button. */
function PausedUpload({ id }: { id: string }) {
  if (transferOf(id)) return null
  return (
    <p class="problem">
      {errorText({ code: 'TRANSFER_PAUSED' })}{' '}
      <Button tone="quiet" onClick={() => void call('resumeTransfer', id).catch(() => {})}>
        {t('room.resume')}
      </Button>
    </p>
  )
}
