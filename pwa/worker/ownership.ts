/**
 * Who owns an account in this browser: one worker, for as long as it lives. The lock is the browser's, so that it
 * goes on to the next when a tab crashes. It holds between releases too, whose workers have different addresses.
 */

/** Resolves when this worker is the owner, and it then stays so. `onWait`: somebody else is, for now. */
export async function becomeOwner(account: string, onWait: () => void): Promise<void> {
  const lock = `org.letro.owner ${account}`
  const won = await held(lock, { ifAvailable: true })
  if (won) return
  onWait()
  await held(lock, {})
}

const vaultPrefix = 'org.letro.vault '

/** One database an account. */
export function vaultName(account: string): string {
  return vaultPrefix + account
}

/** Whose vaults this browser has. */
export async function accountsHere(): Promise<string[]> {
  const databases = await indexedDB.databases()
  return databases.flatMap(({ name }) =>
    name?.startsWith(vaultPrefix) ? [name.slice(vaultPrefix.length)] : [],
  )
}

/** Held by every tab that a person is at: it goes with its tab, however the tab ends. */
export function useLock(account: string): string {
  return `org.letro.used ${account}`
}

export async function isInUse(account: string): Promise<boolean> {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  return held.some(({ name }) => name === useLock(account))
}

function held(lock: string, options: LockOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lock, options, granted => {
        resolve(granted !== null)
        return granted === null ? undefined : new Promise(() => {})
      })
      .catch(reject)
  })
}
