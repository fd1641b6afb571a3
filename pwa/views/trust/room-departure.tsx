import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { levelOf } from './roles.ts'

/** Leaving, with what it means; more loudly where nobody would be left to look after the room. */
export function RoomDeparture({
  detail,
  members,
  onClose,
}: {
  detail: RoomDetail
  members: readonly Member[]
  onClose: () => void
}) {
  const [isAsking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  const { roomId, isSpace } = detail.entry
  const leave = async () => {
    if (!(await act(() => call('leave', roomId)))) return
    onClose()
    go({ view: 'start' }, { replace: true })
  }
  if (!isAsking) {
    return (
      <section class="trust-end">
        <Button tone="grave" onClick={() => setAsking(true)}>
          {isSpace ? t('trust.leaveSpace') : t('trust.leave')}
        </Button>
      </section>
    )
  }
  return (
    <section class="trust-end">
      <Notice
        tone={isLastInCharge(detail, members) ? 'bad' : 'warn'}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t('parts.cancel')}</Button>
            <Button tone="grave" busy={busy} onClick={leave}>
              {t('trust.leaveConfirm')}
            </Button>
          </>
        }
      >
        <p>{t('trust.leaveText')}</p>
        {isLastInCharge(detail, members) && <p>{t('trust.leaveLastText')}</p>}
      </Notice>
      {error !== null && <Failure error={error} />}
    </section>
  )
}

function isLastInCharge({ ourPower, powerLevels }: RoomDetail, members: readonly Member[]): boolean {
  const needed = levelOf(powerLevels, 'power')
  const others = members.filter(each => each.membership === 'join' && each.userId !== ourUserId.value)
  return ourPower >= needed && others.length > 0 && others.every(({ power }) => power < needed)
}
