/**
 * Which room is looked at, in whichever tab: that tab holds a lock of the room's name, so that every other can tell.
 *
 * A lock goes with its tab, however the tab ends; nothing of it is stored or leaves the browser.
 */
import { effect, signal } from '@preact/signals'
import { route } from '../route.ts'

/** Returns how to stop. */
export function holdWhileLooking(): () => void {
  const hasFocus = signal(document.hasFocus())
  const look = () => {
    hasFocus.value = document.hasFocus()
  }
  addEventListener('focus', look)
  addEventListener('blur', look)
  const stop = effect(() => {
    const at = route.value
    if (!hasFocus.value || at.view !== 'room') return
    const end = Promise.withResolvers<void>()
    void navigator.locks.request(nameOf(at.roomId), { mode: 'shared' }, () => end.promise)
    return () => end.resolve()
  })
  return () => {
    stop()
    removeEventListener('focus', look)
    removeEventListener('blur', look)
  }
}

export async function isLookedAt(roomId: string): Promise<boolean> {
  const { held } = await navigator.locks.query()
  return held?.some(({ name }) => name === nameOf(roomId)) ?? false
}

function nameOf(roomId: string): string {
  return `org.letro.looking ${roomId}`
}
