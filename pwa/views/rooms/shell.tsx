/**
 * The app inside: list, room, side. Wide: three columns; narrow: two, the side lies over the room; phone: one at a time.
 */
import './shell.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { rooms, session } from '../account.ts'
import { Damage, Expired, Reminders } from '../enter/reminders.tsx'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { lazy } from '../parts/lazy.tsx'
import { go, route } from '../route.ts'
import { VerificationDialog } from '../trust/verification.tsx'
import { watchAttention } from './attention.ts'
import { watchIdle } from './idle.ts'
import { watchUse } from './in-use.ts'
import { InvitationCard } from './invitation-card.tsx'
import { attention, isPhone, isSideOpen, isWide, keepList } from './list-state.ts'
import { BackToList, Page } from './page.tsx'
import { RoomList } from './room-list.tsx'
import { listenForKeys } from './shortcuts.ts'
import { SpaceView } from './space-view.tsx'
import { loadSwitcherList, Switcher } from './switcher.tsx'
import { isMac, isSwitching } from './switcher-state.ts'

const RoomView = lazy(async () => (await import('../room/room-view.tsx')).RoomView)
const ThreadView = lazy(async () => (await import('../room/thread-view.tsx')).ThreadView)
const WhoCanRead = lazy(async () => (await import('../trust/who-can-read.tsx')).WhoCanRead)
const Person = lazy(async () => (await import('../trust/person.tsx')).Person)
const Settings = lazy(async () => (await import('../settings/settings.tsx')).Settings)
const Help = lazy(async () => (await import('../help/help.tsx')).Help)
const Administration = lazy(async () => (await import('../admin/administration.tsx')).Administration)
const NewRoom = lazy(async () => (await import('./new-room.tsx')).NewRoom)
const SearchView = lazy(async () => (await import('./search-view.tsx')).SearchView)
const quietAfterMs = 2_000

export function Shell() {
  useEffect(keepList, [])
  useEffect(listenForKeys, [])
  useEffect(watchAttention, [])
  useEffect(watchIdle, [])
  useEffect(watchUse, [])
  useEffect(() => {
    // Whoever presses its keys wants to see at once what there is to choose.
    const timer = setTimeout(() => void loadSwitcherList().catch(() => {}), quietAfterMs)
    return () => clearTimeout(timer)
  }, [])
  const at = route.value
  const isInside = at.view === 'room' && isEntered(at.roomId)
  const threadRoot = isInside ? at.threadRoot : undefined
  const side = !isInside
    ? null
    : threadRoot !== undefined
      ? 'thread'
      : isSideOpen.value && rooms.value?.get(at.roomId)?.isSpace !== true
        ? 'readers'
        : null
  return (
    <>
      <Skip />
      <div class={`shell${at.view === 'start' ? ' at-start' : ''}${side ? ` with-side ${side}-beside` : ''}`}>
        {/* On a phone the list is what the page is about, until a room is opened; its place stays, and so does its scrolling. */}
        <div class="list-place" role={isPhone.value && at.view === 'start' ? 'main' : undefined}>
          <RoomList />
        </div>
        <main class="pane" id="main" tabIndex={-1}>
          {!isPhone.value && <Damage />}
          {!isPhone.value && <Expired />}
          <Main />
        </main>
        {isInside && side === 'thread' && threadRoot !== undefined && (
          <div class="side">
            <ThreadView key={threadRoot} roomId={at.roomId} threadRoot={threadRoot} />
          </div>
        )}
        {isInside && side === 'readers' && <Readers key={at.roomId} roomId={at.roomId} />}
      </div>
      {isSwitching.value && <Switcher />}
      <VerificationDialog />
    </>
  )
}

/** Who can read this: beside the room, or over it where there is no place beside it. */
function Readers({ roomId }: { roomId: string }) {
  const pane = useRef<HTMLElement>(null)
  useEffect(() => {
    if (isWide.peek()) return
    const before = document.activeElement
    pane.current?.focus()
    return () => (before as HTMLElement | null)?.focus()
  }, [])
  const close = () => {
    isSideOpen.value = false
  }
  return (
    <aside
      class="side"
      ref={pane}
      tabIndex={-1}
      aria-label={t('rooms.whoCanRead')}
      onKeyDown={event => {
        // Where it lies beside the room, Escape belongs to what is in it.
        if (event.key !== 'Escape' || event.defaultPrevented || isWide.peek()) return
        event.stopPropagation()
        close()
      }}
    >
      <WhoCanRead roomId={roomId} onClose={close} />
    </aside>
  )
}

function Main() {
  const at = route.value
  switch (at.view) {
    case 'start':
      return <Start />
    case 'room':
      return <Room roomId={at.roomId} {...(at.eventId !== undefined && { eventId: at.eventId })} />
    case 'person':
      return (
        <Page title={t('rooms.person')}>
          <Person key={at.userId} userId={at.userId} />
        </Page>
      )
    case 'settings':
      return (
        <Behind isFirst={at.page === ''}>
          <Settings page={at.page} />
        </Behind>
      )
    case 'help':
      return (
        <Behind isFirst={at.page === ''}>
          <Help page={at.page} />
        </Behind>
      )
    case 'search':
      return <SearchView />
    case 'admin':
      // Whoever is none and types the address loads nothing; the server would refuse every question as well.
      if (session.value && !session.value.isAdministrator) return <Start />
      return (
        <Behind isFirst={at.page === ''}>
          <Administration page={at.page} {...(at.of !== undefined && { of: at.of })} />
        </Behind>
      )
    case 'new':
      return <NewRoom kind={at.kind} />
    default:
      return at satisfies never
  }
}

function Room({ roomId, eventId }: { roomId: string; eventId?: string }) {
  const entry = rooms.value?.get(roomId)
  if (entry?.membership === 'invite') return <InvitationCard key={roomId} entry={entry} />
  if (entry?.isSpace) return <SpaceView key={roomId} entry={entry} />
  return (
    <RoomView
      key={roomId}
      roomId={roomId}
      {...(eventId !== undefined && { eventId })}
      {...(isPhone.value && { onBack: () => go({ view: 'start' }) })}
      {...(isEntered(roomId) && {
        onReaders: () => {
          isSideOpen.value = !isSideOpen.value
        },
      })}
    />
  )
}

/** Settings and help have pages of their own; on a phone, the first of them leads back to the list. */
function Behind({ isFirst, children }: { isFirst: boolean; children: ComponentChildren }) {
  return (
    <div class="behind">
      {isFirst && isPhone.value && (
        <div class="bar">
          <BackToList />
        </div>
      )}
      {children}
    </div>
  )
}

function isEntered(roomId: string): boolean {
  return rooms.value?.get(roomId)?.membership === 'join'
}

/** Nothing is chosen: where things are, and what may have to be done. */
function Start() {
  const { unread } = attention.value
  return (
    <div class="start">
      <h1 class="spoken">{t('rooms.start')}</h1>
      <Empty
        title={unread > 0 ? t('rooms.startUnread', { count: unread }) : t('rooms.startTitle')}
        actions={
          <Button onClick={() => go({ view: 'new', kind: 'message' })}>{t('rooms.newMessage')}</Button>
        }
      >
        <p>{t('rooms.startText', { server: session.value?.serverName ?? '' })}</p>
        <dl class="start-keys">
          <dt>
            <kbd dir="ltr">{isMac() ? '⌘ K' : 'Ctrl K'}</kbd>
          </dt>
          <dd>{t('rooms.find')}</dd>
          <dt>
            <kbd dir="ltr">{isMac() ? '⌥ ↓' : 'Alt ↓'}</kbd>
          </dt>
          <dd>{t('rooms.keyNextUnread')}</dd>
          <dt>
            <kbd dir="ltr">?</kbd>
          </dt>
          <dd>{t('rooms.keyHelp')}</dd>
        </dl>
        {!isPhone.value && <Reminders />}
      </Empty>
    </div>
  )
}

/** The first thing that Tab reaches. No link: an address of its own would be taken for a place in the app. */
function Skip() {
  return (
    <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
      {t('rooms.skip')}
    </button>
  )
}
