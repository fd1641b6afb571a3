/** What calls a person back: the tab's title, the icon's badge, and notifications from an open tab that nobody looks at. */
import { effect } from '@preact/signals'
import { formatNumber, t } from '../../i18n/i18n.ts'
import { onNotice, rooms } from '../account.ts'
import { plainName } from '../parts/plain-name.ts'
import { preferences } from '../preferences.ts'
import { go, route } from '../route.ts'
import { attention } from './list-state.ts'

/** Returns how to stop. */
export function watchAttention(): () => void {
  const stopTitle = effect(() => {
    const { mentions, unread } = attention.value
    const at = route.value
    const name = at.view === 'room' ? (plainName(rooms.value?.get(at.roomId)?.name, 60) ?? 'Letro') : 'Letro'
    const mark = mentions > 0 ? `(${formatNumber(mentions)}) ` : unread > 0 ? '• ' : ''
    document.title = name === 'Letro' ? `${mark}Letro` : `${mark}${name} · Letro`
    void setBadge(mentions)
  })
  const stopNotices = onNotice(notice => {
    if (notice.kind !== 'notify') return
    const isLookedAt =
      document.hasFocus() && route.value.view === 'room' && route.value.roomId === notice.roomId
    if (isLookedAt || !preferences.value.notify || globalThis.Notification?.permission !== 'granted') return
    // One tab shows it: whoever comes second finds the lock taken, and the tag makes it one all the same.
    void navigator.locks.request(`org.letro.notify ${notice.eventId}`, { ifAvailable: true }, async lock => {
      if (!lock) return
      const body = preferences.value.notifyContent ? notice.body : t('rooms.notifyHidden')
      const shown = new Notification(plainName(notice.title, 80) ?? 'Letro', {
        body: plainName(body, 200) ?? '',
        tag: notice.roomId,
        silent: !notice.sound,
        icon: '/icons/letro-192.png',
      })
      shown.onclick = () => {
        focus()
        go({ view: 'room', roomId: notice.roomId, eventId: notice.eventId })
        shown.close()
      }
      await new Promise(resolve => setTimeout(resolve, 1000))
    })
  })
  return () => {
    stopTitle()
    stopNotices()
  }
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
