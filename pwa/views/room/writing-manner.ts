/** Does Enter send, or begin a line? Kept in the browser, in the clear. Where there is no keyboard, it begins a line. */
import { signal } from '@preact/signals'

const storedAs = 'org.letro.enter'

export const enterSends = signal(firstChoice())

export function setEnterSends(sends: boolean): void {
  enterSends.value = sends
  localStorage.setItem(storedAs, sends ? 'sends' : 'begins')
}

function firstChoice(): boolean {
  const stored = globalThis.localStorage?.getItem(storedAs)
  if (stored) return stored === 'sends'
  return !(globalThis.matchMedia?.('(pointer: coarse)').matches ?? false)
}
