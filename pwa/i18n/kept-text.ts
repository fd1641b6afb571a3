/**
 * Short texts that the browser keeps for this app in the clear (`localStorage`): what says nothing of anybody's messages.
 *
 * Whoever refuses cookies refuses this too, and then its very name throws; where the browser has no room, writing does. Such a
 * page goes on without: nothing here is worth a page that stays blank.
 */

export function keptText(name: string): string | null {
  try {
    return globalThis.localStorage?.getItem(name) ?? null
  } catch {
    return null
  }
}

export function keepText(name: string, text: string): void {
  try {
    globalThis.localStorage?.setItem(name, text)
  } catch {
    // It holds until the page is closed.
  }
}

export function forgetText(name: string): void {
  try {
    globalThis.localStorage?.removeItem(name)
  } catch {
    // Then nothing was kept either.
  }
}
