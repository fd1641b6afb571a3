/**
 * The address in the QR code by which a first device brings another one in: `https://…/link#` id `.` key `.` login token.
 *
 * The part after `#` stays in the browser. The key is what the two devices know each other by, and the server never
 * sees it; the token signs in, once, for a few minutes. Loaded by pages: no crypto in here.
 */
import { decodeBase64Url } from '#protocol/base64.ts'

export const linkKeyBytes = 32

export interface DeviceLink {
  /** Scheme, host, port of the server that both devices are at. */
  readonly origin: string
  readonly linkId: string
  /** 32 bytes in base64url. */
  readonly key: string
  /** For `m.login.token`. */
  readonly loginToken: string
}

export function linkAddress({ origin, linkId, key, loginToken }: DeviceLink): string {
  return `${origin}/link#${linkId}.${key}.${encodeURIComponent(loginToken)}`
}

/** Null: not such an address. */
export function parseLinkAddress(text: string): DeviceLink | null {
  const url = URL.parse(text.trim())
  if (url?.pathname !== '/link' || !/^https?:$/.test(url.protocol)) return null
  const [linkId = '', key = '', ...rest] = url.hash.slice(1).split('.')
  if (!/^[\w-]{10,100}$/.test(linkId) || decodeBase64Url(key)?.length !== linkKeyBytes) return null
  try {
    // A token may have dots of its own.
    const loginToken = decodeURIComponent(rest.join('.'))
    return loginToken === '' ? null : { origin: url.origin, linkId, key, loginToken }
  } catch {
    return null
  }
}
