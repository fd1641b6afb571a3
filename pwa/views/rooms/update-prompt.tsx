import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Notice } from '../parts/notice.tsx'
import { scriptUrl } from '../trusted-types.ts'
import { collectShared } from './shared-in.ts'
import { isWriting } from './shortcuts.ts'

/** A release that is there and waits. */
const waiting = signal<ServiceWorker | null>(null)
/** Another tab took it: what this page has not loaded yet is no longer there. */
const isTaken = signal(false)
const lookEveryMs = 60 * 60 * 1000

/** Once a page. Without service workers the app works, but not offline from cold. */
export async function registerServiceWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  void collectShared()
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl('/service-worker.js'))
    const look = () => {
      if (registration.waiting && navigator.serviceWorker.controller) waiting.value = registration.waiting
    }
    look()
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', look)
    })
    const hadOne = navigator.serviceWorker.controller !== null
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      isTaken.value = hadOne
    })
    // A page that stays open for weeks hears of releases too.
    setInterval(() => void registration.update().catch(() => {}), lookEveryMs)
  } catch {
    // Refused by a policy, or the server is away: next time.
  }
}

/** Says so; takes over only when the person wants it, and never asks while somebody writes. */
export function UpdatePrompt() {
  const [isPutOff, setPutOff] = useState(false)
  const writing = useWriting()
  const worker = waiting.value
  // Loading again would be the end of a session that is kept nowhere: the next one begins with the new version.
  if (ownerState.value?.inMemory && !isTaken.value) return null
  if (writing || (!isTaken.value && (!worker || isPutOff))) return null
  if (isTaken.value) {
    return (
      <Notice
        tone="warn"
        actions={
          <Button tone="main" onClick={() => location.reload()}>
            {t('rooms.reload')}
          </Button>
        }
      >
        {t('rooms.updateElsewhere')}
      </Notice>
    )
  }
  const takeOver = () => {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
    worker?.postMessage('take over')
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

/** The focus is in a field that has something in it: an empty one has the focus wherever a room is open. */
function isAtWork(): boolean {
  const { activeElement } = document
  return isWriting(activeElement) && (activeElement as Partial<HTMLInputElement>).value !== ''
}

function useWriting(): boolean {
  const [writing, setWriting] = useState(isAtWork)
  useEffect(() => {
    const look = () => setWriting(isAtWork())
    // What gets the focus has it only after the event that took it away.
    const later = () => setTimeout(look)
    addEventListener('focusin', look)
    // After what the app itself does with it.
    addEventListener('input', later)
    addEventListener('focusout', later)
    return () => {
      removeEventListener('focusin', look)
      removeEventListener('input', later)
      removeEventListener('focusout', later)
    }
  }, [])
  return writing
}
