import { useState } from 'preact/hooks'
import { type Key, t } from '../../i18n/i18n.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { InvitePeople } from './invite-people.tsx'
import { matching, serverOfUser } from './organisations.ts'
import { roleKey } from './role-words.ts'
import { roleOf } from './roles.ts'

/** As many as are drawn at first: a thousand lines are looked through by typing. */
const step = 60

interface ListProps {
  readonly detail: RoomDetail
  readonly members: readonly Member[]
  readonly onSelect: (userId: string) => void
}

const groups = [
  ['knock', 'trust.askedToJoin'],
  ['join', 'trust.people'],
  ['invite', 'trust.invited'],
  ['ban', 'trust.banned'],
] as const satisfies readonly (readonly [Member['membership'], Key])[]

/** The people of a room by membership, with their role; those who ask to be let in come first. */
export function MemberList({ detail, members, onSelect }: ListProps) {
  const [text, setText] = useState('')
  const [limit, setLimit] = useState(step)
  const [isInviting, setInviting] = useState(false)
  const found = matching(members, text)
  return (
    <section>
      {detail.may.invite && (
        <p>
          <Button onClick={() => setInviting(true)}>{t('trust.invitePeople')}</Button>
        </p>
      )}
      {isInviting && <InvitePeople detail={detail} members={members} onClose={() => setInviting(false)} />}
      {members.length > 8 && (
        <Field
          label={t('trust.findPerson')}
          type="search"
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
      )}
      {found.length === 0 && <p role="status">{t('trust.nobodyFound')}</p>}
      {groups.map(([membership, key]) => {
        const ofGroup = found.filter(member => member.membership === membership)
        if (ofGroup.length === 0) return null
        return (
          <section key={membership}>
            <h3>
              {t(key)} <small>{t('trust.peopleCount', { count: ofGroup.length })}</small>
            </h3>
            <ul class="trust-members">
              {ofGroup.slice(0, limit).map(member => (
                <Line key={member.userId} detail={detail} member={member} onSelect={onSelect} />
              ))}
            </ul>
            {ofGroup.length > limit && (
              <Button tone="quiet" onClick={() => setLimit(limit + 5 * step)}>
                {t('parts.more')}
              </Button>
            )}
          </section>
        )
      })}
    </section>
  )
}

function Line({
  detail,
  member,
  onSelect,
}: {
  detail: RoomDetail
  member: Member
  onSelect: (userId: string) => void
}) {
  const { userId, name, ambiguous, external, membership, power } = member
  const named = roleOf(power, detail)
  const isElsewhere = serverOfUser(userId) !== serverOfUser(ourUserId.value)
  // In a space there is nothing to write.
  const role = detail.entry.isSpace && named === 'reader' ? 'member' : named
  return (
    <li>
      <button type="button" class="trust-member" onClick={() => onSelect(userId)}>
        <Avatar id={userId} name={name} avatar={member.avatar} size="s" />
        <span class="trust-member-name">
          <Name of={name} fallback={userId} />
          {(ambiguous || isElsewhere) && (
            <small>
              <bdi dir="ltr">{ambiguous ? userId : serverOfUser(userId)}</bdi>
            </small>
          )}
        </span>
        <span class="trust-member-marks">
          {userId === ourUserId.value && <small>{t('trust.you')}</small>}
          {external && (
            <small class="external" title={t('trust.externalHint')}>
              {t('trust.external')}
            </small>
          )}
          {role !== 'member' && <small>{t(roleKey(role), { level: power })}</small>}
        </span>
      </button>
      {membership === 'knock' && detail.may.invite && <LetIn roomId={detail.entry.roomId} userId={userId} />}
    </li>
  )
}

function LetIn({ roomId, userId }: { roomId: string; userId: string }) {
  const { busy, error, act } = useAct()
  return (
    <>
      <Button busy={busy} onClick={() => act(() => call('invite', { roomId, userId }))}>
        {t('trust.letIn')}
      </Button>
      {error !== null && <Failure error={error} />}
    </>
  )
}
