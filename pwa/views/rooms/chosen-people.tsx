/** People who are to be invited: those chosen so far, each with the way to take them out, and a field for the next. */
import { t } from '../../i18n/i18n.ts'
import type { FoundPerson } from '../../worker/calls.ts'
import { Button } from '../parts/button.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Outside, PeoplePicker } from './people-picker.tsx'

export function ChosenPeople({
  people,
  onChange,
  busy = false,
  without = [],
}: {
  people: readonly FoundPerson[]
  onChange: (people: readonly FoundPerson[]) => void
  busy?: boolean
  /** Those who are in it already. */
  without?: readonly string[]
}) {
  return (
    <>
      <ul class="chosen">
        {people.map(person => (
          <li key={person.userId}>
            <span class="chosen-words">
              <Name of={person.name ?? person.userId} limit={40} />
              {person.name !== null && <Code>{person.userId}</Code>}
              <Outside userId={person.userId} />
            </span>
            <Button
              tone="quiet"
              disabled={busy}
              onClick={() => onChange(people.filter(each => each !== person))}
            >
              {t('rooms.removePerson')}
            </Button>
          </li>
        ))}
      </ul>
      <PeoplePicker
        chosen={[...without, ...people.map(({ userId }) => userId)]}
        onChoose={person => onChange([...people, person])}
        busy={busy}
      />
    </>
  )
}
