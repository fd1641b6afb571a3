import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { errorText } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { type Choice, choicesOf, type Found } from './switcher-choices.tsx'
import { useSettled } from './use-settled.ts'

const shownMessages = 6
const shownPeople = 5
/** Of less than that nearly everything is found. */
const shortestSearch = 2

/** What the words in the line find; arrows and Enter, which are pressed in the line, choose among it. */
export function SwitcherList({
  id,
  text,
  keys,
  isChosen,
  onActive,
  onChosen,
}: {
  id: string
  text: string
  /** What the line does with a key. */
  keys: RefObject<(event: KeyboardEvent) => void>
  /** Enter was pressed before this was here. */
  isChosen: RefObject<boolean>
  onActive: (optionId: string | undefined) => void
  onChosen: () => void
}) {
  const list = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(0)
  const groups = choicesOf(text, useFound(text))
  const choices = groups.flatMap(group => group.choices)
  const chosen = choices[Math.min(at, choices.length - 1)]
  const idOf = (choice: Choice) => `${id}-${choices.indexOf(choice)}`
  const active = chosen && idOf(chosen)
  const choose = (choice: Choice) => {
    onChosen()
    Promise.try(choice.choose).catch(error => toast(errorText(error)))
  }
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (event.isComposing || choices.length === 0) return
    if (step !== undefined) {
      event.preventDefault()
      const next = (choices.indexOf(chosen!) + step + choices.length) % choices.length
      setAt(next)
      list.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      choose(chosen!)
    }
  }
  keys.current = key
  useEffect(() => {
    if (isChosen.current && chosen) choose(chosen)
  }, [])
  useEffect(() => setAt(0), [text])
  useEffect(() => onActive(active), [active])
  return (
    <>
      <div class="switcher-list" role="listbox" id={`${id}-list`} aria-label={t('rooms.results')} ref={list}>
        {groups.map(group => (
          // biome-ignore lint/a11y/useSemanticElements: a listbox may hold groups, not fieldsets.
          <div key={group.kind} role="group" aria-labelledby={`${id}-${group.kind}`}>
            <p class="switcher-group" id={`${id}-${group.kind}`} role="presentation">
              {t(`rooms.group_${group.kind}`)}
            </p>
            {group.choices.map(choice => (
              <div
                key={choice.id}
                role="option"
                id={idOf(choice)}
                class="switcher-choice"
                aria-selected={choice === chosen}
                tabIndex={-1}
                onMouseMove={() => setAt(choices.indexOf(choice))}
                onClick={() => choose(choice)}
                onKeyDown={key}
              >
                <span class="switcher-title">{choice.title}</span>
                <span class="switcher-detail">{choice.detail}</span>
              </div>
            ))}
          </div>
        ))}
      </div>
      <p class={choices.length === 0 ? 'list-none' : 'spoken'} role="status">
        {choices.length === 0 && t('rooms.nothingFound')}
      </p>
    </>
  )
}

/** Messages from this device at once, people from the server when it answers. */
function useFound(text: string): Found {
  const [found, setFound] = useState<Found>({ people: [], messages: [] })
  const wanted = useSettled(text.trim())
  useEffect(() => {
    let gone = false
    const take = (part: Partial<Found>) => {
      if (!gone) setFound(before => ({ ...before, ...part }))
    }
    if (wanted.length < shortestSearch) take({ people: [], messages: [] })
    else {
      // What cannot be had now is not there to be chosen: search and directory say why, in their own places.
      call('searchMessages', { text: wanted, limit: shownMessages }).then(
        ({ found: messages }) => take({ messages }),
        () => take({ messages: [] }),
      )
      call('findPeople', wanted).then(
        people => take({ people: people.slice(0, shownPeople) }),
        () => take({ people: [] }),
      )
    }
    return () => {
      gone = true
    }
  }, [wanted])
  return found
}
