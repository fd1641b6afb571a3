import { formatDate, formatDateTime, formatNumber, t } from '../../i18n/i18n.ts'
import { ourUserId } from '../account.ts'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { addressOf } from '../route.ts'
import { AdminFailure } from './act-dialog.tsx'
import type { OnePerson } from './answers.ts'
import { inPath, useAdmin } from './ask.ts'
import { Fact, Facts } from './facts.tsx'
import { PersonTags } from './people.tsx'
import { PersonActs } from './person-acts.tsx'
import { Person } from './person-select.tsx'
import { Withdraw } from './withdraw.tsx'

/** One person: what an administrator may know, and what can be done. */
export function OnePersonView({ userId }: { userId: string }) {
  const asked = useAdmin<OnePerson>(`/people/${inPath(userId)}`)
  const person = asked.answer
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!person) return <Skeleton lines={8} />
  const isOver = person.deactivated_ts !== undefined
  return (
    <>
      <div class="admin-head">
        <Person person={person} />
        <PersonTags person={person} />
      </div>
      {person.user_id === ourUserId.value && <Notice>{t('people.yourself')}</Notice>}
      {!isOver && person.passkeys === 0 && person.kind !== 'service' && (
        <Notice tone="warn">{t('people.noPasskey')}</Notice>
      )}
      {person.kind === 'administrator' && !isOver && person.passkeys === 1 && (
        <Notice tone="warn">{t('people.onePasskey')}</Notice>
      )}
      <Facts>
        <Fact name={t('people.kind')}>{t(`people.kind_${person.kind}`)}</Fact>
        <Fact name={t('people.since')}>{formatDate(person.created_ts)}</Fact>
        {person.deactivated_ts !== undefined && (
          <Fact name={t('people.state_deactivated')}>{formatDateTime(person.deactivated_ts)}</Fact>
        )}
        {!isOver && <Fact name={t('people.passkeys')}>{formatNumber(person.passkeys)}</Fact>}
        {!isOver && <Fact name={t('people.devices')}>{formatNumber(person.devices)}</Fact>}
        {person.expires_ts !== undefined && (
          <Fact name={t('people.end')}>{formatDate(person.expires_ts)}</Fact>
        )}
        {person.sponsor !== undefined && (
          <Fact name={t('people.sponsor')}>
            <a href={addressOf({ view: 'admin', page: 'people', of: person.sponsor })}>
              <Code>{person.sponsor}</Code>
            </a>
          </Fact>
        )}
      </Facts>
      <p>
        <a href={`${addressOf({ view: 'admin', page: 'audit', of: person.user_id })}`}>
          {t('people.inAudit')}
        </a>
      </p>
      {person.link && (
        <Notice actions={<Withdraw link={person.link} onDone={asked.again} />}>
          <p>
            {t(`people.purpose_${person.link.purpose}`)} ·{' '}
            {t('people.madeBy', { who: person.link.created_by })} ·{' '}
            {t('people.linkUntil', { date: formatDateTime(person.link.expires_ts) })}
          </p>
        </Notice>
      )}
      {isOver ? (
        <p class="quiet">{t('people.isOver')}</p>
      ) : (
        <PersonActs person={person} onChange={asked.again} />
      )}
    </>
  )
}
