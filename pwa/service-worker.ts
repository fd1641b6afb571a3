/**
 * The service worker: the app's own files from the cache, so that it opens with the server off; shared files; push.
 *
 * It holds no keys and no messages. A new release waits until a person says so, or every tab is closed: it never
 * takes over in the middle of writing.
 */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { pushNotice } from './push-notice.ts'
import { insideLock, pushTag } from './views/notifications-shown.ts'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST)
// Every address of the app is the same page; addresses of the server are not the app's.
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), { allowlist: [/^\/(?:enrol|link|share)?$/] }),
)

/** What another app shared, until our page asks for it: in memory only, for nothing of it is encrypted. */
let shared: { title: string; text: string; url: string; files: File[] } | null = null
let handedOver = Promise.withResolvers<void>()
const sharedIsKeptMs = 60_000
/** A push comes seconds after the message of which it tells. */
const justNowMs = 60_000

self.addEventListener('fetch', event => {
  if (event.request.method !== 'POST' || new URL(event.request.url).pathname !== '/share') return
  event.respondWith(receiveShared(event.request))
  handedOver = Promise.withResolvers()
  // A service worker that has nothing to do is ended, and what it holds with it.
  event.waitUntil(
    Promise.race([handedOver.promise, new Promise(resolve => setTimeout(resolve, sharedIsKeptMs))]),
  )
})

async function receiveShared(request: Request): Promise<Response> {
  const form = await request.formData()
  const text = (name: string) => {
    const value = form.get(name)
    return typeof value === 'string' ? value : ''
  }
  const files = form.getAll('files').filter(each => each instanceof File)
  shared = { title: text('title'), text: text('text'), url: text('url'), files }
  return Response.redirect('/#/new/share', 303)
}

self.addEventListener('message', event => {
  if (event.data === 'take over') void self.skipWaiting()
  if (event.data === 'shared?') {
    event.ports[0]?.postMessage(shared)
    shared = null
    handedOver.resolve()
  }
})

/** Somebody rings while the app is closed, or locked. A page that is open shows its own news. */
self.addEventListener('push', event => event.waitUntil(ring(event.data)))

async function ring(data: PushMessageData | null): Promise<void> {
  if ((await isPageInside()) && ((await isPageSeen()) || (await saidJustNow()))) return
  let payload: unknown = null
  try {
    payload = data?.json()
  } catch {
    // Another server's, or an older one's: something is new, all the same.
  }
  const { rooms, ...notice } = pushNotice(payload, self.navigator.language)
  const { setAppBadge } = self.navigator as { setAppBadge?: (count: number | undefined) => Promise<void> }
  await setAppBadge?.call(self.navigator, rooms).catch(() => {})
  // The one before it is replaced, for it said less; and it rings again.
  const options: NotificationOptions & { readonly renotify: boolean } = {
    ...notice,
    tag: pushTag,
    renotify: true,
    icon: '/icons/letro-192.png',
    data: { address: '#/' },
  }
  await self.registration.showNotification('Letro', options)
}

/** One that is locked shows nothing of what comes, however long it is looked at. */
async function isPageInside(): Promise<boolean> {
  const { held } = await self.navigator.locks.query()
  return held?.some(({ name }) => name === insideLock) ?? false
}

async function isPageSeen(): Promise<boolean> {
  const pages = await self.clients.matchAll({ type: 'window' })
  return pages.some(page => page.visibilityState === 'visible')
}

/** A page that nobody looks at has said it, and more than we could: see views/rooms/attention.ts. */
async function saidJustNow(): Promise<boolean> {
  const shown = await self.registration.getNotifications()
  return shown.some(({ tag, data: of }) => {
    const { ts } = (of ?? {}) as { ts?: unknown }
    return tag !== pushTag && typeof ts === 'number' && Date.now() - ts < justNowMs
  })
}

/** A notification that the page had us show: to the room that it is about. */
self.addEventListener('notificationclick', event => {
  event.notification.close()
  const { address } = (event.notification.data ?? {}) as { address?: unknown }
  event.waitUntil(openApp(typeof address === 'string' && address.startsWith('#/') ? address : '#/'))
})

async function openApp(address: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (!page) return void (await self.clients.openWindow(`/${address}`))
  await page.focus()
  page.postMessage({ kind: 'open', address })
}
