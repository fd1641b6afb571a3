/**
 * Locks the vault when nobody has touched any tab for as long as was chosen. On a shared computer nothing could open it
 * again: there the person is signed out.
 */
import { call, ownerState } from '../account.ts'
import { type Preferences, preferences } from '../preferences.ts'

const touches = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const
const channelName = 'org.letro.touched'
const lookEveryMs = 15_000
/** Other tabs need not hear of every key. */
const tellEveryMs = 5_000

export function isIdle(idleMs: number, { lockAfterMinutes }: Pick<Preferences, 'lockAfterMinutes'>): boolean {
  return lockAfterMinutes > 0 && idleMs >= lockAfterMinutes * 60_000
}

/** Returns how to stop. */
export function watchIdle(): () => void {
  let lastTs = Date.now()
  let toldTs = 0
  const others = new BroadcastChannel(channelName)
  others.onmessage = () => {
    lastTs = Date.now()
  }
  // A timer of a laptop that slept fires when it wakes: the clock counts, not the timer.
  const look = () => {
    const state = ownerState.peek()
    if (state?.vault !== 'open' || !isIdle(Date.now() - lastTs, preferences.peek())) return false
    void call(state.inMemory ? 'signOut' : 'lock', null)
    return true
  }
  const touched = () => {
    // Whoever comes back too late finds it locked: the touch that wakes the machine is not the owner's presence.
    if (look()) return
    lastTs = Date.now()
    if (lastTs - toldTs < tellEveryMs) return
    toldTs = lastTs
    others.postMessage(null)
  }
  for (const name of touches) addEventListener(name, touched, { capture: true, passive: true })
  document.addEventListener('visibilitychange', look)
  const timer = setInterval(look, lookEveryMs)
  return () => {
    clearInterval(timer)
    others.close()
    document.removeEventListener('visibilitychange', look)
    for (const name of touches) removeEventListener(name, touched, { capture: true })
  }
}
