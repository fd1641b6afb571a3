import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { ourUserId } from '../account.ts'
import { Field } from '../parts/field.tsx'
import { ActDialog } from './act-dialog.tsx'
import { ActRow } from './act-row.tsx'
import type { NewLink, OnePerson, PersonAnswer } from './answers.ts'
import { act, inPath } from './ask.ts'
import { useChosenAct } from './chosen-act.ts'
import { dayEnd, dayOf, earliestDay } from './day.ts'
import { Deactivate } from './deactivate.tsx'
import { ExternalTerms } from './invite.tsx'
import { KindChoice } from './kind-choice.tsx'
import { NewLinkDialog } from './new-link.tsx'

type Asked = 'lock' | 'suspend' | 'kind' | 'expiry' | 're-enrol' | 'deactivate'

export interface ActProps {
  readonly person: OnePerson
  readonly onDone: () => void
  readonly onChanged: () => void
  readonly onClose: () => void
}

/** Each act with a sentence of what it means, the gentle ones first. */
export function PersonActs({ person, onChange }: { person: OnePerson; onChange: () => void }) {
  const { asked, setAsked, ends } = useChosenAct<Asked>(onChange)
  const isOurselves = person.user_id === ourUserId.value
  // Another administrator is made a member first: an act of its own, that is seen.
  const isGuarded = isOurselves || person.kind === 'administrator'
  const props: ActProps = { person, ...ends }
  const row = (which: Asked, title: string, text: string, grave = false) => (
    <ActRow title={title} text={text} grave={grave} onAsk={() => setAsked(which)} />
  )
  return (
    <>
      <h3>{t('people.acts')}</h3>
      {isGuarded && !isOurselves && <p class="quiet">{t('people.guarded')}</p>}
      <ul class="settings-rows">
        {person.kind !== 'service' && row('re-enrol', t('people.reEnrol'), t('people.reEnrolText'))}
        {person.kind === 'external' && row('expiry', t('people.changeEnd'), t('people.changeEndText'))}
        {!isOurselves &&
          person.kind !== 'service' &&
          row('kind', t('people.changeKind'), t('people.changeKindText'))}
        {!isGuarded &&
          (person.suspended
            ? row('suspend', t('people.resume'), t('people.resumeText'))
            : row('suspend', t('people.suspend'), t('people.suspendText')))}
        {!isGuarded &&
          (person.locked
            ? row('lock', t('people.unlock'), t('people.unlockText'))
            : row('lock', t('people.lock'), t('people.lockText')))}
        {!isGuarded && row('deactivate', t('people.deactivate'), t('people.deactivateText'), true)}
      </ul>
      {(asked === 'lock' || asked === 'suspend') && <Flag which={asked} {...props} />}
      {asked === 'kind' && <ChangeKind {...props} />}
      {asked === 'expiry' && <ChangeEnd {...props} />}
      {asked === 're-enrol' && <ReEnrol {...props} />}
      {asked === 'deactivate' && <Deactivate {...props} />}
    </>
  )
}

function Flag({ which, person, ...props }: ActProps & { which: 'lock' | 'suspend' }) {
  const isOn = which === 'lock' ? person.locked : person.suspended
  const words = which === 'lock' ? (isOn ? 'unlock' : 'lock') : isOn ? 'resume' : 'suspend'
  const flag = which === 'lock' ? 'locked' : 'suspended'
  return (
    <ActDialog
      title={t(`people.${words}`)}
      confirm={t(`people.${words}`)}
      grave={!isOn}
      onDo={() =>
        act('PUT', `/people/${inPath(person.user_id)}/${which}`, { [flag]: !isOn, version: person.version })
      }
      {...props}
    >
      <p>{t(`people.${words}Text`)}</p>
    </ActDialog>
  )
}

const offered = ['member', 'administrator', 'external'] as const

function ChangeKind({ person, ...props }: ActProps) {
  const [kind, setKind] = useState<(typeof offered)[number]>(
    person.kind === 'service' ? 'member' : person.kind,
  )
  const [sponsor, setSponsor] = useState<PersonAnswer | null>(null)
  const [end, setEnd] = useState('')
  const isComplete = kind !== 'external' || (sponsor !== null && dayEnd(end) !== null)
  return (
    <ActDialog
      title={t('people.changeKind')}
      confirm={t('people.changeKind')}
      disabled={kind === person.kind || !isComplete}
      onDo={() =>
        act('PUT', `/people/${inPath(person.user_id)}/kind`, {
          kind,
          version: person.version,
          ...(kind === 'external' && { sponsor: sponsor!.user_id, expires_ts: dayEnd(end)! }),
        })
      }
      {...props}
    >
      <KindChoice kind={kind} kinds={offered} onChange={setKind} />
      {kind === 'external' && person.kind !== 'external' && (
        <ExternalTerms sponsor={sponsor} onSponsor={setSponsor} end={end} onEnd={setEnd} />
      )}
    </ActDialog>
  )
}

function ChangeEnd({ person, ...props }: ActProps) {
  const [end, setEnd] = useState(dayOf(person.expires_ts ?? Date.now()))
  return (
    <ActDialog
      title={t('people.changeEnd')}
      confirm={t('parts.save')}
      disabled={dayEnd(end) === null}
      onDo={() =>
        act('PUT', `/people/${inPath(person.user_id)}/expiry`, {
          expires_ts: dayEnd(end)!,
          version: person.version,
        })
      }
      {...props}
    >
      <Field
        type="date"
        label={t('people.end')}
        hint={t('people.endHint')}
        value={end}
        min={earliestDay()}
        onInput={event => setEnd(event.currentTarget.value)}
      />
    </ActDialog>
  )
}

function ReEnrol({ person, onChanged, onClose }: ActProps) {
  const [link, setLink] = useState<NewLink | null>(null)
  if (link) return <NewLinkDialog link={link} onClose={onChanged} />
  return (
    <ActDialog
      title={t('people.reEnrol')}
      confirm={t('people.makeLink')}
      onDo={async () =>
        setLink(
          await act<NewLink>('POST', `/people/${inPath(person.user_id)}/re-enrolment`, {
            code: true,
            replaces: person.link?.id ?? null,
          }),
        )
      }
      onDone={() => {}}
      onChanged={onChanged}
      onClose={onClose}
    >
      <p>{t('people.reEnrolText')}</p>
      <p>{t('people.reEnrolEnds')}</p>
      {person.link && <p>{t('people.reEnrolReplaces')}</p>}
    </ActDialog>
  )
}
