/**
 * What a person prefers on this device: kept in the browser, in the clear, for it says nothing of anybody.
 *
 * What goes for all devices is account data: `org.letro.privacy`, push rules.
 */
import { signal } from '@preact/signals'
import { keepText, keptText } from '../i18n/kept-text.ts'

export interface Preferences {
  /** Lock when nobody touched it for so long; 0: never. */
  readonly lockAfterMinutes: number
  /** Enter sends, Shift+Enter begins a line; else Ctrl+Enter or ⌘+Enter sends. At first only where there is a keyboard. */
  readonly enterSends: boolean
  /** Notifications from an open tab. */
  readonly notify: boolean
  /** Who wrote and what; else only that something came. */
  readonly notifyContent: boolean
  readonly notifySound: boolean
}

const storedAs = 'org.letro.preferences'
const fresh: Preferences = {
  lockAfterMinutes: 15,
  enterSends: !(globalThis.matchMedia?.('(pointer: coarse)').matches ?? false),
  notify: true,
  notifyContent: true,
  notifySound: true,
}

export const lockChoices = [0, 1, 5, 15, 60] as const

export const preferences = signal<Preferences>(parsePreferences(keptText(storedAs)))

export function setPreferences(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.peek(), ...change }
  keepText(storedAs, JSON.stringify(preferences.peek()))
}

/** What does not fit is as it is at first. */
export function parsePreferences(text: string | null): Preferences {
  let read: Record<string, unknown>
  try {
    read = (JSON.parse(text ?? '{}') ?? {}) as Record<string, unknown>
  } catch {
    return fresh
  }
  const lock = read['lockAfterMinutes']
  const yesNo = (name: 'enterSends' | 'notify' | 'notifyContent' | 'notifySound') =>
    typeof read[name] === 'boolean' ? read[name] : fresh[name]
  return {
    lockAfterMinutes: lockChoices.some(choice => choice === lock) ? (lock as number) : fresh.lockAfterMinutes,
    enterSends: yesNo('enterSends'),
    notify: yesNo('notify'),
    notifyContent: yesNo('notifyContent'),
    notifySound: yesNo('notifySound'),
  }
}

// Another tab changed them.
globalThis.window?.addEventListener('storage', event => {
  if (event.key === storedAs) preferences.value = parsePreferences(event.newValue)
})
