/**
 * Views of the app over a worker that is none: for looking at them, and for tests of what only a browser can show.
 *
 * `#/room/…` as in the app; `?lang=ar&theme=dark&items=20000&side=thread`.
 */
import '../../../pwa/views/fonts.css'
import '../../../pwa/views/tokens.css'
import '../../../pwa/views/base.css'
import './page.css'
import { h, render } from 'preact'
import { type Language, setManner } from '../../../pwa/i18n/i18n.ts'
import { openAccount, readAccount } from '../../../pwa/views/account.ts'
import { lazy } from '../../../pwa/views/parts/lazy.tsx'
import { Toasts } from '../../../pwa/views/parts/toast.tsx'
import { safeHtml } from '../../../pwa/views/room/message-html.ts'
import { RoomView } from '../../../pwa/views/room/room-view.tsx'
import { ThreadView } from '../../../pwa/views/room/thread-view.tsx'
import { followAddress, route } from '../../../pwa/views/route.ts'
import { us, world } from './world.ts'

const wanted = new URLSearchParams(location.search)

function Page() {
  const at = route.value
  if (at.view !== 'room') return <main class="fixture">{at.view}</main>
  return (
    <main class="fixture">
      <RoomView roomId={at.roomId} eventId={at.eventId ?? null} onReaders={() => {}} onBack={() => {}} />
      {at.threadRoot !== undefined && <ThreadView roomId={at.roomId} threadRoot={at.threadRoot} />}
      <Toasts />
    </main>
  )
}

Object.assign(globalThis, { world, safeHtml, lazy, h, render })
followAddress()
await setManner({
  language: (wanted.get('lang') ?? 'en') as Language,
  theme: (wanted.get('theme') ?? 'light') as 'light' | 'dark',
})
openAccount(us, { keep: false })
await readAccount()
render(<Page />, document.getElementById('app')!)
