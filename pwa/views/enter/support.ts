/** What the app cannot do without, and what this browser does not have. */

export type Missing = 'secure-context' | 'wasm' | 'indexeddb' | 'webcrypto' | 'workers' | 'locks'

export async function missing(): Promise<Missing | null> {
  if (!globalThis.isSecureContext) return 'secure-context'
  if (typeof WebAssembly !== 'object') return 'wasm'
  if (typeof crypto?.subtle !== 'object') return 'webcrypto'
  if (typeof Worker !== 'function') return 'workers'
  if (typeof navigator.locks !== 'object') return 'locks'
  return (await hasDatabase()) ? null : 'indexeddb'
}

export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function'
}

/** Installed, and not in a tab. */
export function isInstalled(): boolean {
  return (
    matchMedia('(display-mode: standalone)').matches ||
    (navigator as { standalone?: boolean }).standalone === true
  )
}

/** On iOS the installed app has a storage of its own: whoever enrols in Safari would do it twice. */
export function mustInstallFirst(agent = navigator.userAgent): boolean {
  const isIos = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1)
  return isIos && !isInstalled()
}

/** Some browsers have the object and refuse its use, in a private window or by a policy. */
function hasDatabase(): Promise<boolean> {
  return new Promise(resolve => {
    try {
      const name = 'org.letro.probe'
      const request = indexedDB.open(name)
      request.onsuccess = () => {
        request.result.close()
        indexedDB.deleteDatabase(name)
        resolve(true)
      }
      request.onerror = () => resolve(false)
    } catch {
      resolve(false)
    }
  })
}

/** Without one the app opens with the server in reach alone. */
export function hasServiceWorker(): boolean {
  return typeof navigator.serviceWorker === 'object'
}

export function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === 'function'
}
