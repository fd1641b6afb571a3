import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Notice } from '../parts/notice.tsx'
import { scriptUrl } from '../trusted-types.ts'

/** A release that is there and waits. */
const waiting = signal<ServiceWorker | null>(null)

/** Once a page. Without service workers the app works, but not offline from cold. */
export async function registerServiceWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl('/service-worker.js'))
    const look = () => {
      if (registration.waiting && navigator.serviceWorker.controller) waiting.value = registration.waiting
    }
    look()
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look)
    })
    // A page that stays open for weeks hears of releases too.
    setInterval(() => void registration.update().catch(() => {}), 60 * 60 * 1000)
  } catch {
    // Refused by a policy, or the server is away: next time.
  }
}

/** Says so; takes over only when the person wants it. Never while there are words in a field. */
export function UpdatePrompt() {
  const [isPutOff, setPutOff] = useState(false)
  const worker = waiting.value
  if (!worker || isPutOff) return null
  const takeOver = () => {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    worker.postMessage('take over')
  }
  return (
    <Notice
      actions={
        <>
          <Button tone="main" onClick={takeOver}>
            {t('rooms.updateNow')}
          </Button>
          <Button tone="quiet" onClick={() => setPutOff(true)}>
            {t('rooms.updateLater')}
          </Button>
        </>
      }
    >
      {t('rooms.updateReady')}
    </Notice>
  )
}
