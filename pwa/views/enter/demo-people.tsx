import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Name } from '../parts/name.tsx'
import type { DemoPerson } from '../server-info.ts'
import type { Act } from '../use-act.ts'
import { entry } from './flow.ts'

/** The people of a demonstration, each signed in by one click. */
export function DemoPeople({
  people,
  busy,
  act,
}: {
  people: readonly DemoPerson[]
  busy: boolean
  act: Act['act']
}) {
  // `#/demo/amal`: the link that the demonstration prints is the click.
  useEffect(() => {
    const localpart = /^#\/demo\/([a-z]+)$/.exec(location.hash)?.[1]
    const person = people.find(({ userId }) => userId.startsWith(`@${localpart}:`))
    if (!person) return
    history.replaceState(null, '', location.pathname)
    void act(() => entry.signInDemo(person.userId))
  }, [])
  return (
    <section class="enter-other">
      <h2>{t('enter.demoPeople')}</h2>
      <ul class="demo-people">
        {people.map(({ userId, name, role }) => (
          <li key={userId}>
            <Button busy={busy} onClick={() => void act(() => entry.signInDemo(userId))}>
              <Name of={name} />
            </Button>
            <span dir="auto">{role}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
