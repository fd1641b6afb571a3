/**
 * Is a person at this tab: it is seen, and was touched a little while ago. While it is so, the tab holds a lock by which the
 * account's owner knows; and whoever comes back, from another tab, a sleeping computer or a tunnel, does not wait for the
 * next try.
 */
import { effect, signal } from '@preact/signals'
import { useLock } from '../../worker/ownership.ts'
import { account, call } from '../account.ts'

const touches = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const
const idleAfterMs = 5 * 60_000
const lookEveryMs = 15_000

/** Returns how to stop. */
export function watchUse(): () => void {
  let lastTs = Date.now()
  const isUsed = signal(false)
  const look = () => {
    isUsed.value = document.visibilityState === 'visible' && Date.now() - lastTs < idleAfterMs
  }
  const touched = () => {
    lastTs = Date.now()
    look()
  }
  const stop = effect(() => {
    if (!isUsed.value) return
    const end = Promise.withResolvers<void>()
    void navigator.locks.request(useLock(account.peek() ?? ''), { mode: 'shared' }, () => {
      reconnect()
      return end.promise
    })
    return () => end.resolve()
  })
  // Coming back is a touch as well: nobody shows a page to leave it alone.
  const shown = () => (document.visibilityState === 'visible' ? touched() : look())
  for (const name of touches) addEventListener(name, touched, { capture: true, passive: true })
  document.addEventListener('visibilitychange', shown)
  addEventListener('online', reconnect)
  const timer = setInterval(look, lookEveryMs)
  touched()
  return () => {
    stop()
    isUsed.value = false
    clearInterval(timer)
    removeEventListener('online', reconnect)
    document.removeEventListener('visibilitychange', shown)
    for (const name of touches) removeEventListener(name, touched, { capture: true })
  }
}

function reconnect(): void {
  void call('reconnect', null).catch(() => {})
}
