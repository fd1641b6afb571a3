import { useState } from 'preact/hooks'
import { formatDate, formatNumber, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Field } from '../parts/field.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useSettled } from '../rooms/use-settled.ts'
import { addressOf } from '../route.ts'
import { AdminFailure } from './act-dialog.tsx'
import { type Kind, kinds, type OpenLink, type PersonAnswer } from './answers.ts'
import { useAdmin, usePages, withQuery } from './ask.ts'
import { Select, Tag } from './facts.tsx'
import { Invite } from './invite.tsx'
import { OnePersonView } from './one-person.tsx'
import { PeopleImport } from './people-import.tsx'
import { Person } from './person-select.tsx'
import { Withdraw } from './withdraw.tsx'

const states = ['present', 'locked', 'suspended', 'expired', 'deactivated'] as const
type State = (typeof states)[number]

/** All people of this server, or one of them. */
export function People({ of }: { of?: string }) {
  return of === undefined ? <PeopleList /> : <OnePersonView userId={of} />
}

function PeopleList() {
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Kind | ''>('')
  const [state, setState] = useState<State>('present')
  const [asking, setAsking] = useState<'invite' | 'import' | null>(null)
  const search = useSettled(text.trim())
  const people = usePages<PersonAnswer>(withQuery('/people', { limit: 50, search, kind, state }), 'people')
  const links = useAdmin<{ links: OpenLink[] }>('/enrolment-links')
  const again = () => {
    people.again()
    links.again()
  }
  const isFiltered = search !== '' || kind !== '' || state !== 'present'
  return (
    <>
      <div class="settings-acts">
        <Button tone="main" onClick={() => setAsking('invite')}>
          {t('people.invite')}
        </Button>
        <Button onClick={() => setAsking('import')}>{t('people.import')}</Button>
      </div>
      <search class="admin-filters">
        <Field
          type="search"
          label={t('people.search')}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
        <Select
          label={t('people.kind')}
          value={kind}
          options={[
            ['', t('people.anyKind')],
            ...kinds.map(each => [each, t(`people.kind_${each}`)] as const),
          ]}
          onChange={setKind}
        />
        <Select
          label={t('people.state')}
          value={state}
          options={states.map(each => [each, t(`people.state_${each}`)] as const)}
          onChange={setState}
        />
      </search>
      {people.error !== null && <AdminFailure error={people.error} onRetry={people.again} />}
      {!people.items && people.error === null && <Skeleton lines={8} />}
      {people.items?.length === 0 && (
        <Empty title={isFiltered ? t('people.noneFound') : t('people.none')}>
          <p>{isFiltered ? t('people.noneFoundText') : t('people.noneText')}</p>
        </Empty>
      )}
      {people.items && people.items.length > 0 && (
        <>
          <p class="quiet" role="status">
            {people.hasMore
              ? t('people.firstOf', { count: people.items.length })
              : t('people.count', { count: people.items.length })}
          </p>
          <ul class="admin-rows">
            {people.items.map(person => (
              <li key={person.user_id}>
                <a href={addressOf({ view: 'admin', page: 'people', of: person.user_id })}>
                  <Person person={person} />
                  <PersonTags person={person} />
                </a>
              </li>
            ))}
          </ul>
          {people.hasMore && <Button onClick={people.more}>{t('people.more')}</Button>}
        </>
      )}
      <OpenLinks links={links.answer?.links ?? []} search={search} onChange={again} />
      {asking === 'invite' && <Invite onDone={again} onClose={() => setAsking(null)} />}
      {asking === 'import' && <PeopleImport onDone={again} onClose={() => setAsking(null)} />}
    </>
  )
}

/** What is not as usual about somebody. */
export function PersonTags({ person }: { person: PersonAnswer }) {
  const isOver = person.deactivated_ts !== undefined
  return (
    <span class="admin-tags">
      {person.kind !== 'member' && <Tag>{t(`people.kind_${person.kind}`)}</Tag>}
      {isOver && <Tag tone="bad">{t('people.state_deactivated')}</Tag>}
      {!isOver && person.locked && <Tag tone="bad">{t('people.state_locked')}</Tag>}
      {!isOver && person.suspended && <Tag tone="warn">{t('people.state_suspended')}</Tag>}
      {!isOver && person.expired && <Tag tone="warn">{t('people.state_expired')}</Tag>}
      {!isOver && !person.expired && person.expires_ts !== undefined && (
        <Tag>{t('people.until', { date: formatDate(person.expires_ts) })}</Tag>
      )}
    </span>
  )
}

const linksAtOnce = 50

/** Invitations and re-enrolments that nobody has used yet: after a long list there are thousands. */
function OpenLinks({
  links: all,
  search,
  onChange,
}: {
  links: readonly OpenLink[]
  search: string
  onChange: () => void
}) {
  const [most, setMost] = useState(linksAtOnce)
  const wanted = search.toLowerCase()
  const links = all.filter(link =>
    [link.user_id, link.displayname ?? ''].some(name => name.toLowerCase().includes(wanted)),
  )
  if (links.length === 0) return null
  return (
    <details class="admin-links">
      <summary>
        {t('people.openLinks')} ({formatNumber(links.length)})
      </summary>
      <p class="quiet">{t('people.openLinksText')}</p>
      <ul class="settings-rows">
        {links.slice(0, most).map(link => (
          <li key={link.id}>
            <div>
              <Person person={link} />
              <p class="quiet">
                {t(`people.purpose_${link.purpose}`)} · {t('people.madeBy', { who: link.created_by })} ·{' '}
                {t('people.linkUntil', { date: formatDate(link.expires_ts) })}
              </p>
            </div>
            <Withdraw link={link} onDone={onChange} />
          </li>
        ))}
      </ul>
      {links.length > most && <Button onClick={() => setMost(most + linksAtOnce)}>{t('people.more')}</Button>}
    </details>
  )
}
