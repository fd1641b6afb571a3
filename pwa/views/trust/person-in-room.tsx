import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { RoleSelect } from './role-select.tsx'
import { roleKey } from './role-words.ts'
import { actsOn, levelsFor, roleOf } from './roles.ts'

interface InRoom {
  readonly detail: RoomDetail
  readonly member: Member
  readonly name: string
}

/** A person's role in a room, and what we may do about them. */
export function PersonInRoom({ roomId, member, name }: { roomId: string; member: Member; name: string }) {
  const { answer: detail } = useAsked(
    `room ${roomId}`,
    () => call('room', roomId),
    notice => notice.kind === 'rooms' && notice.changed.some(entry => entry.roomId === roomId),
  )
  if (!detail) return null
  const { remove, ban, unban } = actsOn(detail, member, ourUserId.value)
  return (
    <section>
      <h3>{t('trust.inThisRoom')}</h3>
      {member.membership === 'join' && <RoleOf detail={detail} member={member} name={name} />}
      {(remove || ban || unban) && (
        <div class="trust-acts">
          {remove && <Removal detail={detail} member={member} name={name} act="kick" />}
          {ban && <Removal detail={detail} member={member} name={name} act="ban" />}
          {unban && <Unban detail={detail} member={member} name={name} />}
        </div>
      )}
    </section>
  )
}

function RoleOf({ detail, member, name }: InRoom) {
  const levels = levelsFor(detail, member, ourUserId.value)
  const [chosen, setChosen] = useState(member.power)
  const { busy, error, act } = useAct()
  const { roomId } = detail.entry
  const isUs = member.userId === ourUserId.value
  if (levels.length < 2) {
    return (
      <p>
        {t('trust.role')}: {t(roleKey(roleOf(member.power, detail)), { level: member.power })}
      </p>
    )
  }
  const change = () => call('setPower', { roomId, userId: member.userId, power: chosen })
  return (
    <>
      <RoleSelect
        label={t('trust.role')}
        value={chosen}
        levels={levels}
        detail={detail}
        onChange={setChosen}
      />
      {chosen !== member.power && (
        <>
          {isUs && chosen < member.power && <Notice tone="warn">{t('trust.roleSelfText')}</Notice>}
          {!isUs && chosen === detail.ourPower && (
            <Notice tone="warn">{t('trust.roleEqualText', { name })}</Notice>
          )}
          <Button tone="main" busy={busy} onClick={() => act(change)}>
            {t('trust.changeRole')}
          </Button>
        </>
      )}
      {error !== null && <Failure error={error} />}
    </>
  )
}

function Removal({ detail, member, name, act: kind }: InRoom & { act: 'kick' | 'ban' }) {
  const [isAsking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const title = kind === 'ban' ? t('trust.ban') : removalTitle(member)
  const carryOut = async () => {
    const done = await act(() =>
      call('setMembership', {
        roomId: detail.entry.roomId,
        userId: member.userId,
        act: kind,
        ...(reason.trim() !== '' && { reason: reason.trim() }),
      }),
    )
    if (done) setAsking(false)
  }
  return (
    <>
      <Button tone="grave" onClick={() => setAsking(true)}>
        {title}
      </Button>
      {isAsking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          <p>{kind === 'ban' ? t('trust.banText', { name }) : t('trust.removeText', { name })}</p>
          <Field
            label={t('trust.reason')}
            hint={t('trust.reasonHint')}
            value={reason}
            maxLength={500}
            onInput={event => setReason(event.currentTarget.value)}
          />
          {error !== null && <Failure error={error} />}
          <Actions>
            <Button onClick={() => setAsking(false)}>{t('parts.cancel')}</Button>
            <Button tone="grave" busy={busy} onClick={carryOut}>
              {title}
            </Button>
          </Actions>
        </Dialog>
      )}
    </>
  )
}

function removalTitle({ membership }: Member): string {
  if (membership === 'invite') return t('trust.withdrawInvitation')
  return membership === 'knock' ? t('trust.refuseKnock') : t('trust.remove')
}

function Unban({ detail, member }: InRoom) {
  const { busy, error, act } = useAct()
  const lift = () =>
    call('setMembership', { roomId: detail.entry.roomId, userId: member.userId, act: 'unban' })
  return (
    <>
      <Button busy={busy} onClick={() => act(lift)}>
        {t('trust.unban')}
      </Button>
      {error !== null && <Failure error={error} />}
    </>
  )
}
