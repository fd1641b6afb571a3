import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { FoundPerson } from '../../worker/calls.ts'
import { call, ourUserId, rooms, session } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Field } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { serverOfUser } from '../trust/organisations.ts'
import { useAsked } from '../use-asked.ts'
import { knownPeople } from './direct-chat.ts'
import { useKept, useSettled } from './use-settled.ts'

/** People of this organisation by name, or anybody by their id. */
export function PeoplePicker({
  chosen,
  onChoose,
  busy,
}: {
  chosen: readonly string[]
  onChoose: (person: FoundPerson) => void
  busy: boolean
}) {
  const [text, setText] = useState('')
  const wanted = useSettled(text.trim())
  const asked = useAsked(`people ${wanted}`, async () => (wanted === '' ? [] : call('findPeople', wanted)))
  // Of another organisation nobody stands in our directory: their own server says what they call themselves.
  const named = useAsked(`profile ${wanted}`, async () =>
    isUserId(wanted) ? call('profile', wanted).catch(() => null) : null,
  )
  const answer = useKept(asked.answer)
  const known = knownPeople(rooms.value?.values() ?? [], wanted)
  const found = [
    ...known,
    ...(answer ?? []).filter(({ userId }) => !known.some(person => person.userId === userId)),
  ]
  const typedId = isUserId(text.trim()) ? text.trim() : null
  const shown = [
    ...found,
    ...(typedId !== null && !found.some(({ userId }) => userId === typedId)
      ? [{ name: null, avatar: null, ...(typedId === wanted && named.answer), userId: typedId }]
      : []),
  ].filter(({ userId }) => userId !== ourUserId.value && !chosen.includes(userId))
  return (
    <div class="picker">
      <Field
        type="search"
        label={t('rooms.findPerson')}
        hint={t('rooms.findPersonHint', { server: session.value?.serverName ?? '' })}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      {asked.error !== null && <Failure error={asked.error} onRetry={asked.again} />}
      <ul class="picker-list">
        {shown.map(person => (
          <li key={person.userId}>
            <button
              type="button"
              disabled={busy}
              onClick={() => {
                onChoose(person)
                setText('')
              }}
            >
              <Avatar id={person.userId} name={person.name} avatar={person.avatar} />
              <span>
                <Name of={person.name ?? person.userId} />
                <Code>{person.userId}</Code>
              </span>
              <Outside userId={person.userId} />
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function isUserId(text: string): boolean {
  return /^@[^\s:]+:[^\s]+$/.test(text)
}

/** Somebody of another organisation. */
export function Outside({ userId }: { userId: string }) {
  if (serverOfUser(userId) === serverOfUser(ourUserId.value)) return null
  return (
    <small class="external" title={t('trust.externalHint')}>
      {t('rooms.external')}
    </small>
  )
}
