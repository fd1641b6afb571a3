import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { useKept, useSettled } from '../rooms/use-settled.ts'
import { AdminFailure } from './act-dialog.tsx'
import type { PersonAnswer } from './answers.ts'
import { useAdmin, withQuery } from './ask.ts'

/** Somebody of this server, found by name or id; who may not be chosen is left out. */
export function PersonSelect({
  label,
  hint,
  chosen,
  onChoose,
  without = () => false,
}: {
  label: string
  hint?: string
  chosen: PersonAnswer | null
  onChoose: (person: PersonAnswer | null) => void
  without?: (person: PersonAnswer) => boolean
}) {
  const [text, setText] = useState('')
  const search = useSettled(text.trim())
  const asked = useAdmin<{ people: PersonAnswer[] }>(
    withQuery('/people', { state: 'present', limit: 12, search }),
  )
  const found = useKept(asked.answer)?.people.filter(person => !without(person)) ?? []
  if (chosen)
    return (
      <div class="field">
        <span class="admin-label">{label}</span>
        <div class="admin-chosen">
          <Person person={chosen} />
          <Button onClick={() => onChoose(null)}>{t('people.chooseOther')}</Button>
        </div>
      </div>
    )
  return (
    <div class="picker">
      <Field
        type="search"
        label={label}
        hint={hint}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      {asked.error !== null && <AdminFailure error={asked.error} onRetry={asked.again} />}
      {text.trim() !== '' && (
        <ul class="admin-found">
          {found.slice(0, 6).map(person => (
            <li key={person.user_id}>
              <button type="button" onClick={() => onChoose(person)}>
                <Person person={person} />
              </button>
            </li>
          ))}
          {found.length === 0 && asked.answer && <li class="quiet">{t('people.noneFound')}</li>}
        </ul>
      )}
    </div>
  )
}

/** A person in a line: picture, name, id. */
export function Person({ person }: { person: Pick<PersonAnswer, 'user_id' | 'displayname'> }) {
  const { user_id: userId, displayname = null } = person
  return (
    <span class="admin-person">
      <Avatar id={userId} name={displayname} avatar={null} />
      <span>
        {displayname !== null && <Name of={displayname} limit={60} />}
        <Code>{userId}</Code>
      </span>
    </span>
  )
}
