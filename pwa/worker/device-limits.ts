/** What this device, and whoever pays for its connection, lets us take. */

/** What the browser would still take; unlimited where it does not say. */
export async function bytesLeft(): Promise<number> {
  const { quota, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {}
  return quota === undefined ? Number.POSITIVE_INFINITY : quota - usage
}

/** Somebody pays for what is transferred. */
export function savesData(): boolean {
  const { connection } = globalThis.navigator as { connection?: { saveData?: boolean } }
  return connection?.saveData === true
}
