import './room-list.css'
import { useRef } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { ourUserId, rooms, session } from '../account.ts'
import { Damage, Expired, Reminders } from '../enter/reminders.tsx'
import { Avatar } from '../parts/avatar.tsx'
import { Button, IconButton } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Menu } from '../parts/menu.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { go } from '../route.ts'
import { ConnectionLine } from './connection-line.tsx'
import { ListSection } from './list-section.tsx'
import { filter, isListRead, isPhone, sections } from './list-state.ts'
import { filters } from './sections.ts'
import { ServerNotices } from './server-notices-card.tsx'
import { isMac, openSwitcher } from './switcher-state.ts'
import { UpdatePrompt } from './update-prompt.tsx'

/** The register: every room, where it belongs. */
export function RoomList() {
  return (
    <nav class="list" aria-label={t('rooms.list')}>
      <ListBar />
      <button type="button" class="find" onClick={openSwitcher}>
        <span>{t('rooms.find')}</span>
        <kbd dir="ltr">{isMac() ? '⌘ K' : 'Ctrl K'}</kbd>
      </button>
      <Filters />
      <Rooms />
      {isPhone.value && <Damage />}
      {isPhone.value && <Expired />}
      <ServerNotices />
      {isPhone.value && <Reminders />}
      <UpdatePrompt />
      <ConnectionLine />
    </nav>
  )
}

function ListBar() {
  return (
    <header class="bar list-bar">
      <h1 class="spoken">{t('rooms.list')}</h1>
      <a class="wordmark" href="#/">
        letro<i>.</i> <span class="spoken">{t('rooms.start')}</span>
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
        <IconButton icon="search" label={t('rooms.searchAll')} onClick={() => go({ view: 'search' })} />
        <IconButton icon="help" label={t('rooms.help')} onClick={() => go({ view: 'help', page: '' })} />
        {session.value?.isAdministrator && (
          <IconButton
            icon="shield"
            label={t('rooms.administration')}
            onClick={() => go({ view: 'admin', page: '' })}
          />
        )}
        <button
          type="button"
          class="list-me"
          title={t('rooms.settings')}
          onClick={() => go({ view: 'settings', page: '' })}
        >
          <Avatar
            id={ourUserId.value}
            name={session.value?.displayName ?? null}
            avatar={session.value?.avatar ?? null}
            size="s"
          />
          <span class="spoken">{t('rooms.settings')}</span>
        </button>
      </div>
    </header>
  )
}

function Filters() {
  const hasInvitations = [...(rooms.value?.values() ?? [])].some(entry => entry.membership === 'invite')
  return (
    <fieldset class="filters">
      <legend class="spoken">{t('rooms.filter')}</legend>
      {filters
        .filter(each => each !== 'invitations' || hasInvitations || filter.value === each)
        .map(each => (
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
    </fieldset>
  )
}

/** Arrow keys go from line to line; with Tab the list is one stop. */
function Rooms() {
  const list = useRef<HTMLElement>(null)
  const move = (event: KeyboardEvent) => {
    const stops = [...(list.current?.querySelectorAll<HTMLElement>('[data-stop]') ?? [])]
    const at = stops.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key]
    if (at < 0 || to === undefined || event.altKey) return
    event.preventDefault()
    stops[Math.max(0, Math.min(stops.length - 1, to))]?.focus()
  }
  return (
    <section class="list-rooms" ref={list} onKeyDown={move} aria-label={t('rooms.list')}>
      {rooms.value === null || !isListRead.value ? <Skeleton lines={9} /> : <Sections />}
    </section>
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
