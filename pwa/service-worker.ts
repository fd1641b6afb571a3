/**
 * The service worker: the app's own files from the cache, so that it opens with the server off; shared files; push.
 *
 * It holds no keys and no messages. A new release waits until a person says so, or every tab is closed: it never
 * takes over in the middle of writing.
 */
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] }

cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST)
// Every address of the app is the same page; addresses of the server are not the app's.
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), { allowlist: [/^\/(?:enrol|link|share)?$/] }),
)

self.addEventListener('message', event => {
  if (event.data === 'take over') void self.skipWaiting()
})
