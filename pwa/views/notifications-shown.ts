/**
 * Notifications that the system shows for us, and the subscription that brings them while the app is closed.
 *
 * They are the service worker's, where there is one: then they can be chosen after the tab has gone, and be taken back. A
 * page without one makes them itself.
 */

/** What all pushes are shown under: one after the other. */
export const pushTag = 'push'
/** Held by each page that is open, unlocked, and says by itself what is new. */
export const insideLock = 'org.letro.inside'

/** @param onChoose where the page itself shows it; the service worker tells otherwise */
export async function showNotification(
  title: string,
  options: NotificationOptions & { readonly renotify?: boolean },
  onChoose: () => void,
): Promise<void> {
  const registration = await registered()
  if (registration?.active) return registration.showNotification(title, options)
  const shown = new Notification(title, options)
  shown.onclick = () => {
    onChoose()
    shown.close()
  }
}

/** They say what is no news any more, or what is nobody's business now. */
export async function takeBack(isOver: (tag: string) => boolean): Promise<void> {
  const shown = await (await registered())?.getNotifications()
  for (const notification of shown ?? []) if (isOver(notification.tag)) notification.close()
}

/** Nobody is signed in here any more: nothing rings, and nothing of theirs is left to be seen. */
export async function endRinging(): Promise<void> {
  const registration = await registered()
  await takeBack(() => true)
  await (await registration?.pushManager?.getSubscription())?.unsubscribe()
}

/** Undefined: there is none, or this browser lets nobody ask. */
async function registered(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker?.getRegistration().catch(() => undefined)
}
