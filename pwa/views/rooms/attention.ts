/** What calls a person back: the tab's title, the icon's badge, and notifications from an open tab that nobody looks at. */
import { effect } from '@preact/signals'
import { formatNumber, t } from '../../i18n/i18n.ts'
import type { AppNotice } from '../../worker/calls.ts'
import { onNotice, rooms } from '../account.ts'
import { insideLock, pushTag, showNotification, takeBack } from '../notifications-shown.ts'
import { plainName } from '../parts/plain-name.ts'
import { preferences } from '../preferences.ts'
import { addressOf, go, parseRoute, route } from '../route.ts'
import { attention } from './list-state.ts'
import { holdWhileLooking, isLookedAt } from './looking.ts'
import { isUnread } from './sections.ts'

type Notify = Extract<AppNotice, { kind: 'notify' }>

/** By then every tab has heard the notice. */
const othersHeardMs = 1000

/** Returns how to stop. */
export function watchAttention(): () => void {
  const gone = Promise.withResolvers<void>()
  void navigator.locks.request(insideLock, { mode: 'shared' }, () => gone.promise)
  const stops = [
    effect(() => {
      const { mentions, unread } = attention.value
      const at = route.value
      const name = at.view === 'room' ? plainName(rooms.value?.get(at.roomId)?.name, 60) : null
      const mark = mentions > 0 ? `(${formatNumber(mentions)}) ` : unread > 0 ? '• ' : ''
      document.title = name === null ? `${mark}Letro` : `${mark}${name} · Letro`
      void setBadge(mentions)
    }),
    holdWhileLooking(),
    onNotice(notice => {
      if (notice.kind === 'notify') void notify(notice)
      if (notice.kind === 'rooms') takeBackRead(notice)
    }),
  ]
  // Whoever is here sees for themselves what a push could not say.
  const looked = () => quietly(takeBack(tag => tag === pushTag))
  addEventListener('focus', looked)
  looked()
  navigator.serviceWorker?.addEventListener('message', openAddress)
  return () => {
    gone.resolve()
    for (const stop of stops) stop()
    navigator.serviceWorker?.removeEventListener('message', openAddress)
    removeEventListener('focus', looked)
    // Locked, or signed out: names and words are not to be read from the system's list either. A push has none, and may have come
    // at this very moment.
    quietly(takeBack(tag => tag !== pushTag))
    void setBadge(0)
    document.title = 'Letro'
  }
}

async function notify(notice: Notify): Promise<void> {
  if (!preferences.value.notify || globalThis.Notification?.permission !== 'granted') return
  if (await isLookedAt(notice.roomId)) return
  // One tab shows it: whoever comes second finds the lock taken.
  await navigator.locks.request(`org.letro.notify ${notice.eventId}`, { ifAvailable: true }, async lock => {
    if (!lock) return
    await show(notice)
    await new Promise(resolve => setTimeout(resolve, othersHeardMs))
  })
}

async function show({ roomId, eventId, title, body, sound }: Notify): Promise<void> {
  const { notifyContent, notifySound } = preferences.value
  const words = notifyContent ? (plainName(title, 80) ?? 'Letro') : 'Letro'
  const address = addressOf({ view: 'room', roomId, eventId })
  const options = {
    body: notifyContent ? (plainName(body, 200) ?? '') : t('rooms.notifyHidden'),
    tag: roomId,
    silent: !sound || !notifySound,
    // What follows in the same room takes its place, and calls again.
    renotify: true,
    icon: '/icons/letro-192.png',
    data: { address, ts: Date.now() },
  }
  await showNotification(words, options, () => {
    focus()
    go(parseRoute(address))
  })
  quietly(takeBack(tag => tag === pushTag))
}

/** Read here, or on another device of theirs. */
function takeBackRead({ changed, gone }: Extract<AppNotice, { kind: 'rooms' }>): void {
  const over = new Set(gone)
  for (const entry of changed) {
    if (entry.membership === 'join' && !isUnread(entry) && entry.mentions === 0) over.add(entry.roomId)
  }
  if (over.size > 0) quietly(takeBack(tag => over.has(tag)))
}

/** The system may refuse; what is to be read stands in the app. */
function quietly(act: Promise<unknown>): void {
  act.catch(() => {})
}

/** A notification was chosen that the service worker showed. */
function openAddress({ data }: MessageEvent): void {
  const { kind, address } = (data ?? {}) as { kind?: unknown; address?: unknown }
  if (kind === 'open' && typeof address === 'string') go(parseRoute(address))
}

async function setBadge(count: number): Promise<void> {
  const { setAppBadge, clearAppBadge } = navigator as Partial<
    Pick<Navigator, 'setAppBadge' | 'clearAppBadge'>
  >
  try {
    if (count > 0) await setAppBadge?.call(navigator, count)
    else await clearAppBadge?.call(navigator)
  } catch {
    // Not installed, or not allowed: the title says it.
  }
}
