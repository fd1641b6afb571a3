import '../rooms/new-room.css'
import { useState } from 'preact/hooks'
import { formatList, t } from '../../i18n/i18n.ts'
import type { FoundPerson, Member, RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { toast } from '../parts/toast.tsx'
import { ChosenPeople } from '../rooms/chosen-people.tsx'
import { useAct } from '../use-act.ts'
import { readersIn } from './organisations.ts'
import { historyKey } from './room-rules.ts'

/** Further people for a room that is there. Whoever cannot be invited stays chosen, with the reason. */
export function InvitePeople({
  detail,
  members,
  onClose,
}: {
  detail: RoomDetail
  members: readonly Member[]
  onClose: () => void
}) {
  const [people, setPeople] = useState<readonly FoundPerson[]>([])
  const { busy, error, act } = useAct()
  const { roomId, isSpace } = detail.entry
  const invite = () =>
    act(async () => {
      for (const person of people) {
        await call('invite', { roomId, userId: person.userId })
        setPeople(left => left.filter(each => each !== person))
      }
      const names = people.map(({ userId, name }) => plainName(name, 40) ?? userId)
      toast(t('trust.invitedNow', { names: formatList(names) }))
      onClose()
    })
  return (
    <Dialog title={t('trust.invitePeople')} onClose={onClose}>
      {!isSpace && (
        <p>
          {t('trust.whatNewcomersSee')}: {t(historyKey(detail.historyVisibility))}
        </p>
      )}
      <ChosenPeople
        people={people}
        onChange={setPeople}
        busy={busy}
        without={readersIn(members).map(({ userId }) => userId)}
      />
      {error !== null && <Failure error={error} />}
      <Actions>
        <Button onClick={onClose}>{t('parts.cancel')}</Button>
        <Button tone="main" busy={busy} disabled={people.length === 0} onClick={() => void invite()}>
          {t('trust.inviteNow')}
        </Button>
      </Actions>
    </Dialog>
  )
}
