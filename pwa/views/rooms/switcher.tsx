import './switcher.css'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { formatWhen, t } from '../../i18n/i18n.ts'
import type { FoundMessage, FoundPerson } from '../../worker/calls.ts'
import { call, rooms } from '../account.ts'
import { Name } from '../parts/name.tsx'
import { cut, plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { openDirect } from './direct.ts'
import { isSwitching, matchingRooms } from './switcher-state.ts'

interface Choice {
  readonly id: string
  readonly group: 'rooms' | 'people' | 'messages' | 'commands'
  readonly title: preact.ComponentChildren
  readonly detail: preact.ComponentChildren
  readonly choose: () => void | Promise<void>
}

const shownRooms = 8
const shownMessages = 6
const typingPauseMs = 120

/** One line to type in: rooms, people, words of messages, and what can be done. */
export function Switcher() {
  const dialog = useRef<HTMLDialogElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const found = useFound(text)
  const id = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const close = () => {
    isSwitching.value = false
  }
  const choices = choicesOf(text, found)
  const chosen = choices[Math.min(at, choices.length - 1)]
  const choose = (choice: Choice | undefined) => {
    if (!choice) return
    close()
    void choice.choose()
  }
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      const next = (Math.min(at, choices.length - 1) + step + choices.length) % Math.max(1, choices.length)
      setAt(next)
      list.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' })
    } else if (event.key === 'Enter') {
      event.preventDefault()
      choose(chosen)
    }
  }
  let group: Choice['group'] | null = null
  return (
    <dialog
      class="switcher"
      ref={dialog}
      aria-label={t('rooms.find')}
      onCancel={event => {
        event.preventDefault()
        close()
      }}
      onClick={event => {
        if (event.target === dialog.current) close()
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={chosen ? `${id}-${choices.indexOf(chosen)}` : undefined}
        aria-label={t('rooms.find')}
        placeholder={t('rooms.find')}
        dir="auto"
        autoComplete="off"
        spellcheck={false}
        value={text}
        onInput={event => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={key}
      />
      <div class="switcher-list" role="listbox" id={`${id}-list`} aria-label={t('rooms.results')} ref={list}>
        {choices.map((choice, i) => {
          const isFirst = choice.group !== group
          group = choice.group
          return (
            <div key={choice.id} role="presentation">
              {isFirst && (
                <p class="switcher-group" role="presentation">
                  {t(`rooms.group_${choice.group}`)}
                </p>
              )}
              <div
                role="option"
                id={`${id}-${i}`}
                class="switcher-choice"
                aria-selected={choice === chosen}
                tabIndex={-1}
                onMouseMove={() => setAt(i)}
                onClick={() => choose(choice)}
                onKeyDown={key}
              >
                <span class="switcher-title">{choice.title}</span>
                <span class="switcher-detail">{choice.detail}</span>
              </div>
            </div>
          )
        })}
        {choices.length === 0 && <p class="list-none">{t('rooms.nothingFound')}</p>}
      </div>
    </dialog>
  )
}

interface Found {
  readonly people: readonly FoundPerson[]
  readonly messages: readonly FoundMessage[]
}

/** Messages from this device at once, people from the server when it answers. */
function useFound(text: string): Found {
  const [found, setFound] = useState<Found>({ people: [], messages: [] })
  useEffect(() => {
    if (text.trim().length < 2) {
      setFound({ people: [], messages: [] })
      return
    }
    let gone = false
    const timer = setTimeout(() => {
      const take = (part: Partial<Found>) => {
        if (!gone) setFound(before => ({ ...before, ...part }))
      }
      call('searchMessages', { text, limit: shownMessages }).then(
        ({ found: messages }) => take({ messages }),
        () => take({ messages: [] }),
      )
      call('findPeople', text).then(
        people => take({ people: people.slice(0, 5) }),
        () => take({ people: [] }),
      )
    }, typingPauseMs)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [text])
  return found
}

function choicesOf(text: string, { people, messages }: Found): Choice[] {
  const known = rooms.value
  const choices: Choice[] = matchingRooms(known?.values() ?? [], text, shownRooms).map(entry => ({
    id: entry.roomId,
    group: 'rooms',
    title: <Name of={entry.name} fallback={t('rooms.emptyRoom')} />,
    detail: entry.isSpace ? t('rooms.space') : <Parent roomIds={entry.parents} />,
    choose: () => go({ view: 'room', roomId: entry.roomId }),
  }))
  for (const { userId, name } of people) {
    choices.push({
      id: userId,
      group: 'people',
      title: <Name of={name ?? userId} />,
      detail: (
        <bdi class="code" dir="ltr">
          {userId}
        </bdi>
      ),
      choose: () => openDirect(userId),
    })
  }
  for (const message of messages) {
    choices.push({
      id: message.eventId,
      group: 'messages',
      title: <bdi>{cut(plainName(message.text, 200) ?? '', 100)}</bdi>,
      detail: (
        <>
          <Name of={message.senderName} limit={30} /> ·{' '}
          <Name of={known?.get(message.roomId)?.name} limit={30} /> · {formatWhen(message.ts)}
        </>
      ),
      choose: () => go({ view: 'room', roomId: message.roomId, eventId: message.eventId }),
    })
  }
  const command = (
    name: 'newMessage' | 'newRoom' | 'settings' | 'help' | 'searchAll',
    choose: () => void,
  ): Choice => ({
    id: name,
    group: 'commands',
    title: t(`rooms.${name}`),
    detail: '',
    choose,
  })
  const commands = [
    command('newMessage', () => go({ view: 'new', kind: 'message' })),
    command('newRoom', () => go({ view: 'new', kind: 'room' })),
    command('searchAll', () => go({ view: 'search' })),
    command('settings', () => go({ view: 'settings', page: '' })),
    command('help', () => go({ view: 'help', page: '' })),
  ]
  const wanted = text.trim().toLocaleLowerCase()
  return [
    ...choices,
    ...commands.filter(each => wanted === '' || String(each.title).toLocaleLowerCase().includes(wanted)),
  ]
}

function Parent({ roomIds }: { roomIds: readonly string[] }) {
  const parent = roomIds.map(roomId => rooms.value?.get(roomId)).find(entry => entry !== undefined)
  return parent ? <Name of={parent.name} /> : null
}
