import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import type { Member } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { isBlocking } from './device-words.ts'
import { IdentityDecision } from './identity-decision.tsx'

/** Whoever holds the room up: an identity that changed, or somebody whom no member's device invited. */
export function Newcomers({ entry, members }: { entry: RoomEntry; members: readonly Member[] }) {
  return entry.blockedBy.map(userId => {
    const name = plainName(members.find(member => member.userId === userId)?.name) ?? userId
    return <Undecided key={userId} roomId={entry.roomId} userId={userId} name={name} />
  })
}

/** The decision that a room waits for. Also to be shown where a message is held up. */
export function Undecided({ roomId, userId, name }: { roomId: string; userId: string; name: string }) {
  const { answer } = useAsked(
    `standing ${userId}`,
    () => call('person', userId),
    notice => notice.kind === 'person' && notice.userId === userId,
  )
  if (!answer) return null
  return isBlocking(answer.standing) ? (
    <IdentityDecision userId={userId} name={name} isLost={answer.standing === 'verification-lost'} />
  ) : (
    <Newcomer roomId={roomId} userId={userId} name={name} />
  )
}

function Newcomer({ roomId, userId, name }: { roomId: string; userId: string; name: string }) {
  const { busy, error, act } = useAct()
  return (
    <Notice
      tone="warn"
      actions={
        <Button busy={busy} onClick={() => act(() => call('admitNewcomer', { roomId, userId }))}>
          {t('trust.admit')}
        </Button>
      }
    >
      <strong>{t('trust.newcomers', { name })}</strong>
      <p>{t('trust.newcomersText')}</p>
      {error !== null && <Failure error={error} />}
    </Notice>
  )
}
