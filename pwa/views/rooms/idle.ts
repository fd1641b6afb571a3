/** Locks the vault when nobody has touched any tab for as long as was chosen. */
import { call, ownerState } from '../account.ts'
import { preferences } from '../preferences.ts'

const touches = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const
const channelName = 'org.letro.touched'
const lookEveryMs = 15_000

/** Returns how to stop. */
export function watchIdle(): () => void {
  let lastTs = Date.now()
  const others = new BroadcastChannel(channelName)
  others.onmessage = () => {
    lastTs = Date.now()
  }
  const touched = () => {
    // Other tabs need not hear of every key.
    if (Date.now() - lastTs > 5_000) others.postMessage(null)
    lastTs = Date.now()
  }
  for (const name of touches) addEventListener(name, touched, { passive: true })
  // A timer of a laptop that slept fires when it wakes: the clock counts, not the timer.
  const timer = setInterval(() => {
    const minutes = preferences.value.lockAfterMinutes
    const isOpen = ownerState.value?.vault === 'open' && !ownerState.value.inMemory
    if (minutes > 0 && isOpen && Date.now() - lastTs >= minutes * 60_000) void call('lock', null)
  }, lookEveryMs)
  return () => {
    clearInterval(timer)
    others.close()
    for (const name of touches) removeEventListener(name, touched)
  }
}
