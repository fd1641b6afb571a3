/** What the app cannot do without, and what this browser does not have. */

export type Missing = 'secure-context' | 'wasm' | 'indexeddb' | 'webcrypto' | 'workers' | 'age'

export async function missing(): Promise<Missing | null> {
  if (!globalThis.isSecureContext) return 'secure-context'
  if (typeof WebAssembly !== 'object') return 'wasm'
  if (typeof crypto?.subtle !== 'object') return 'webcrypto'
  if (typeof Worker !== 'function') return 'workers'
  if (!isRecent()) return 'age'
  return (await hasDatabase()) ? null : 'indexeddb'
}

/** What the app uses that came last to browsers, asked now and not in the middle of a message. */
function isRecent(): boolean {
  return (
    typeof navigator.locks === 'object' &&
    typeof Promise.try === 'function' &&
    typeof Uint8Array.prototype.toBase64 === 'function' &&
    typeof Set.prototype.difference === 'function'
  )
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
export function mustInstallFirst(): boolean {
  return isIos() && !isInstalled()
}

/** An iPad says that it is a Mac, of which none has a touch screen. */
export function isIos(agent = navigator.userAgent): boolean {
  return /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1)
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
