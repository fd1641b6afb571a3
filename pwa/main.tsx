/** The page: words first, then the view that the account's state asks for. */
import './views/fonts.css'
import './views/tokens.css'
import './views/base.css'
import { computed } from '@preact/signals'
import { render } from 'preact'
import { setManner } from './i18n/i18n.ts'
import { account, openAccount, ownerState, recallAccount, session } from './views/account.ts'
import { DemoBanner } from './views/enter/demo-banner.tsx'
import { stage } from './views/enter/flow.ts'
import { arrivalOf } from './views/enter/link.ts'
import { lazy } from './views/parts/lazy.tsx'
import { Toasts } from './views/parts/toast.tsx'
import { registerServiceWorker } from './views/rooms/update-prompt.tsx'
import { followAddress } from './views/route.ts'
import { readServerInfo } from './views/server-info.ts'

const loadEnter = async () => (await import('./views/enter/enter.tsx')).Enter
const loadShell = async () => (await import('./views/rooms/shell.tsx')).Shell
const Enter = lazy(loadEnter)
const Shell = lazy(loadShell)

/** The vault is open, somebody is signed in, and nothing of the way in is left to show. */
const isInside = computed(
  () => ownerState.value?.vault === 'open' && session.value !== null && stage.value.kind === 'inside',
)

function App() {
  return (
    <>
      <DemoBanner />
      {isInside.value ? <Shell /> : <Enter />}
      <Toasts />
    </>
  )
}

followAddress()
// On its way while the words come: what is shown first, and the worker, which needs longest. What fails is said where it is shown.
void loadEnter().catch(() => {})
const known = account.peek()
if (known !== null) {
  void loadShell().catch(() => {})
  if (arrivalOf(location).kind === 'none') beginWorker(known)
}
try {
  await Promise.all([setManner({}), recallAccount()])
  begin()
} catch (error) {
  // Without words nothing can be said but what the page brought along.
  document.querySelector('.opening')?.classList.add('stuck')
  throw error
}

function begin(): void {
  const place = document.getElementById('app')!
  place.replaceChildren()
  render(<App />, place)
  void registerServiceWorker()
  void readServerInfo().catch(() => {})
}

function beginWorker(userId: string): void {
  try {
    openAccount(userId, { keep: true })
  } catch {
    // A browser without workers: the way in says so.
  }
}
