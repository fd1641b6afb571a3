import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { session } from '../account.ts'
import { Field, Switch } from '../parts/field.tsx'
import { ActDialog } from './act-dialog.tsx'
import type { NewLink, PersonAnswer } from './answers.ts'
import { act } from './ask.ts'
import { dayEnd, earliestDay } from './day.ts'
import { KindChoice } from './kind-choice.tsx'
import { NewLinkDialog } from './new-link.tsx'
import { type NewService, NewServiceDialog } from './new-service.tsx'
import { PersonSelect } from './person-select.tsx'

const invited = ['member', 'external', 'administrator', 'service'] as const
type Invited = (typeof invited)[number]

/** Somebody new: a name, what they are, and a link that is the key to the account. */
export function Invite({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [localpart, setLocalpart] = useState('')
  const [name, setName] = useState('')
  const [kind, setKind] = useState<Invited>('member')
  const [sponsor, setSponsor] = useState<PersonAnswer | null>(null)
  const [end, setEnd] = useState('')
  const [withCode, setWithCode] = useState(true)
  const [link, setLink] = useState<NewLink | null>(null)
  const [service, setService] = useState<NewService | null>(null)
  if (link) return <NewLinkDialog link={link} onClose={onClose} />
  if (service) return <NewServiceDialog service={service} onClose={onClose} />
  const server = session.value?.serverName ?? ''
  const typed = localpart.trim().replace(/^@/, '').replace(`:${server}`, '')
  const isName = /^[a-z0-9._=/+-]+$/.test(typed)
  const isComplete = isName && (kind !== 'external' || (sponsor !== null && dayEnd(end) !== null))
  const invite = async () => {
    if (kind === 'service') {
      const made = await act<NewService>('POST', '/people', { user_id: `@${typed}:${server}`, kind })
      onDone()
      return setService(made)
    }
    const made = await act<NewLink>('POST', '/enrolment-links', {
      user_id: `@${typed}:${server}`,
      kind,
      code: withCode,
      replaces: null,
      ...(name.trim() !== '' && { display_name: name.trim() }),
      ...(kind === 'external' && { sponsor: sponsor!.user_id, expires_ts: dayEnd(end)! }),
    })
    onDone()
    setLink(made)
  }
  return (
    <ActDialog
      title={t('people.invite')}
      confirm={t(kind === 'service' ? 'people.makeService' : 'people.makeLink')}
      byPasskey={kind === 'administrator' || kind === 'service'}
      disabled={!isComplete}
      onDo={invite}
      onDone={() => {}}
      onClose={onClose}
    >
      <Field
        label={t('people.localpart')}
        hint={t('people.localpartHint', { example: `@${isName ? typed : 'amal'}:${server}` })}
        error={typed !== '' && !isName ? t('people.localpartWrong') : null}
        value={localpart}
        autoCapitalize="off"
        autoComplete="off"
        spellcheck={false}
        dir="ltr"
        maxLength={200}
        autoFocus
        onInput={event => setLocalpart(event.currentTarget.value)}
      />
      {kind !== 'service' && (
        <Field
          label={t('people.displayName')}
          hint={t('people.displayNameHint')}
          value={name}
          maxLength={256}
          autoComplete="off"
          onInput={event => setName(event.currentTarget.value)}
        />
      )}
      <KindChoice kind={kind} kinds={invited} onChange={setKind} />
      {kind === 'external' && (
        <ExternalTerms sponsor={sponsor} onSponsor={setSponsor} end={end} onEnd={setEnd} />
      )}
      {kind !== 'service' && (
        <Switch
          label={t('people.withCode')}
          hint={t('people.withCodeHint')}
          checked={withCode}
          onChange={setWithCode}
        />
      )}
    </ActDialog>
  )
}

/** Who answers for an external person, and until when. */
export function ExternalTerms({
  sponsor,
  onSponsor,
  end,
  onEnd,
}: {
  sponsor: PersonAnswer | null
  onSponsor: (person: PersonAnswer | null) => void
  end: string
  onEnd: (end: string) => void
}) {
  return (
    <>
      <PersonSelect
        label={t('people.sponsor')}
        hint={t('people.sponsorHint')}
        chosen={sponsor}
        onChoose={onSponsor}
        without={({ kind }) => kind === 'external'}
      />
      <Field
        type="date"
        label={t('people.end')}
        hint={t('people.endHint')}
        value={end}
        min={earliestDay()}
        onInput={event => onEnd(event.currentTarget.value)}
      />
    </>
  )
}
