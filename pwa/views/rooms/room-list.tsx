import './room-list.css'
import { useRef } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { ourUserId, rooms, session } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button, IconButton } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Menu } from '../parts/menu.tsx'
import { Name } from '../parts/name.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { go } from '../route.ts'
import { ConnectionLine } from './connection-line.tsx'
import { closed, filter, sections, toggle } from './list-state.ts'
import { RoomLine } from './room-line.tsx'
import type { Filter, Section } from './sections.ts'
import { openSwitcher } from './switcher-state.ts'

const filters: readonly Filter[] = ['all', 'unread', 'mentions', 'people']

/** The register: every room, where it belongs. */
export function RoomList() {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step === undefined) return
    const stops = [...(list.current?.querySelectorAll<HTMLElement>('a.room, button.section-head') ?? [])]
    const at = stops.indexOf(document.activeElement as HTMLElement)
    if (at < 0) return
    event.preventDefault()
    stops[Math.max(0, Math.min(stops.length - 1, at + step))]?.focus()
  }
  return (
    <nav class="list" aria-label={t('rooms.list')}>
      <header class="bar list-bar">
        <a class="wordmark" href="#/" aria-label={t('rooms.start')}>
          letro<i>.</i>
        </a>
        <div class="list-acts">
          <Menu
            icon="plus"
            label={t('rooms.new')}
            items={[
              { label: t('rooms.newMessage'), onSelect: () => go({ view: 'new', kind: 'message' }) },
              { label: t('rooms.newRoom'), onSelect: () => go({ view: 'new', kind: 'room' }) },
              { label: t('rooms.newSpace'), onSelect: () => go({ view: 'new', kind: 'space' }) },
              { label: t('rooms.directory'), onSelect: () => go({ view: 'new', kind: 'join' }) },
            ]}
          />
          <IconButton icon="help" label={t('rooms.help')} onClick={() => go({ view: 'help', page: '' })} />
          <button
            type="button"
            class="list-me"
            aria-label={t('rooms.settings')}
            onClick={() => go({ view: 'settings', page: '' })}
          >
            <Avatar
              id={ourUserId.value}
              name={session.value?.displayName ?? null}
              avatar={session.value?.avatar ?? null}
              size="s"
            />
          </button>
        </div>
      </header>
      <button type="button" class="find" onClick={openSwitcher}>
        <span>{t('rooms.find')}</span>
        <kbd dir="ltr">{isMac() ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      <div class="filters" role="group" aria-label={t('rooms.filter')}>
        {filters.map(each => (
          <button
            key={each}
            type="button"
            aria-pressed={filter.value === each}
            onClick={() => {
              filter.value = each
            }}
          >
            {t(`rooms.filter_${each}`)}
          </button>
        ))}
      </div>
      <div class="list-rooms" ref={list} onKeyDown={move}>
        {rooms.value === null ? <Skeleton lines={9} /> : <Sections />}
      </div>
      <ConnectionLine />
    </nav>
  )
}

function Sections() {
  if (sections.value.length > 0)
    return sections.value.map(section => <ListSection key={section.id} section={section} />)
  if (filter.value !== 'all') return <p class="list-none">{t('rooms.noneMatch')}</p>
  return (
    <Empty
      title={t('rooms.noneTitle')}
      actions={
        <Button tone="main" onClick={() => go({ view: 'new', kind: 'message' })}>
          {t('rooms.newMessage')}
        </Button>
      }
    >
      <p>{t('rooms.noneText')}</p>
    </Empty>
  )
}

function ListSection({ section }: { section: Section }) {
  const { id, kind, space, depth, rooms: shown } = section
  const isOpen = !closed.value.has(id)
  return (
    <section class={`section depth-${Math.min(depth, 3)}`}>
      <h3>
        <button type="button" class="section-head" aria-expanded={isOpen} onClick={() => toggle(id)}>
          {space ? <Name of={space.name} /> : t(`rooms.section_${kind as Exclude<Section['kind'], 'space'>}`)}
          {!isOpen && <Closed rooms={shown} />}
        </button>
      </h3>
      {isOpen && (
        <ul>
          {shown.map(entry => (
            <li key={entry.roomId}>
              <RoomLine entry={entry} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** What a closed section hides must still be seen. */
function Closed({ rooms: hidden }: { rooms: readonly RoomEntry[] }) {
  const mentions = hidden.reduce((sum, entry) => sum + entry.mentions, 0)
  const unread = hidden.filter(entry => entry.unread > 0 && !entry.muted).length
  if (mentions > 0) return <span class="count">{mentions}</span>
  return unread > 0 ? <span class="count quiet">{unread}</span> : null
}

export function isMac(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent)
}
