/**
 * The app inside: list, room, side. Wide: three columns; narrow: two, the side lies over the room; phone: one at a time.
 */
import './shell.css'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { rooms, session } from '../account.ts'
import { Expired, Reminders } from '../enter/reminders.tsx'
import { IconButton } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { lazy } from '../parts/lazy.tsx'
import { go, route } from '../route.ts'
import { VerificationDialog } from '../trust/verification.tsx'
import { watchAttention } from './attention.ts'
import { watchIdle } from './idle.ts'
import { InvitationCard } from './invitation-card.tsx'
import { attention, isPhone, isSideOpen } from './list-state.ts'
import { RoomList } from './room-list.tsx'
import { listenForKeys } from './shortcuts.ts'
import { SpaceView } from './space-view.tsx'
import { isSwitching } from './switcher-state.ts'
import { UpdatePrompt } from './update-prompt.tsx'

const RoomView = lazy(async () => (await import('../room/room-view.tsx')).RoomView)
const WhoCanRead = lazy(async () => (await import('../trust/who-can-read.tsx')).WhoCanRead)
const Person = lazy(async () => (await import('../trust/person.tsx')).Person)
const Settings = lazy(async () => (await import('../settings/settings.tsx')).Settings)
const Help = lazy(async () => (await import('../help/help.tsx')).Help)
const NewRoom = lazy(async () => (await import('./new-room.tsx')).NewRoom)
const SearchView = lazy(async () => (await import('./search-view.tsx')).SearchView)
const Switcher = lazy(async () => (await import('./switcher.tsx')).Switcher)

export function Shell() {
  useEffect(listenForKeys, [])
  useEffect(watchAttention, [])
  useEffect(watchIdle, [])
  const at = route.value
  const isInRoom = at.view === 'room'
  const hasSide = isInRoom && isSideOpen.value && rooms.value?.get(at.roomId)?.membership === 'join'
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {t('rooms.skip')}
      </a>
      <div class={`shell${at.view === 'start' ? ' at-start' : ''}${hasSide ? ' with-side' : ''}`}>
        <RoomList />
        <main class="pane" id="main" tabIndex={-1}>
          <Expired />
          <UpdatePrompt />
          <Main />
        </main>
        {hasSide && (
          <aside class="side" aria-label={t('rooms.whoCanRead')}>
            <WhoCanRead
              roomId={at.roomId}
              onClose={() => {
                isSideOpen.value = false
              }}
            />
          </aside>
        )}
      </div>
      {isSwitching.value && <Switcher />}
      <VerificationDialog />
    </>
  )
}

function Main() {
  const at = route.value
  switch (at.view) {
    case 'start':
      return <Start />
    case 'room': {
      const entry = rooms.value?.get(at.roomId)
      if (entry?.membership === 'invite') return <InvitationCard entry={entry} />
      if (entry?.isSpace) return <SpaceView entry={entry} />
      return (
        <RoomView
          key={at.roomId}
          roomId={at.roomId}
          {...(isPhone.value && { onBack: () => go({ view: 'start' }) })}
          onReaders={() => {
            isSideOpen.value = !isSideOpen.value
          }}
          {...(at.eventId !== undefined && { eventId: at.eventId })}
          {...(at.threadRoot !== undefined && { threadRoot: at.threadRoot })}
        />
      )
    }
    case 'person':
      return <Person userId={at.userId} />
    case 'settings':
      return <Settings page={at.page} />
    case 'help':
      return <Help page={at.page} />
    case 'search':
      return <SearchView />
    case 'new':
      return <NewRoom kind={at.kind} />
    default:
      return at satisfies never
  }
}

/** Nothing is chosen: where things are, and what may have to be done. */
function Start() {
  const { unread } = attention.value
  return (
    <div class="start">
      <Empty title={unread > 0 ? t('rooms.startUnread', { count: unread }) : t('rooms.startTitle')}>
        <p>{t('rooms.startText', { server: session.value?.serverName ?? '' })}</p>
        <dl class="start-keys">
          <dt>
            <kbd dir="ltr">Ctrl K</kbd>
          </dt>
          <dd>{t('rooms.find')}</dd>
          <dt>
            <kbd dir="ltr">Alt ↓</kbd>
          </dt>
          <dd>{t('rooms.keyNextUnread')}</dd>
          <dt>
            <kbd dir="ltr">?</kbd>
          </dt>
          <dd>{t('rooms.keyHelp')}</dd>
        </dl>
        <Reminders />
      </Empty>
    </div>
  )
}

function skip(event: MouseEvent): void {
  // An address of its own would be taken for a route.
  event.preventDefault()
  document.getElementById('main')?.focus()
}

/** On a phone the list is behind the room. */
export function BackToList() {
  return (
    <span class="back-to-list">
      <IconButton icon="back" label={t('rooms.backToList')} onClick={() => go({ view: 'start' })} />
    </span>
  )
}
