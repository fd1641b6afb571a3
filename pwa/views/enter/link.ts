/** Links that lead to the app: `/enrol#SECRET` for an invitation, `/link#…` for another device of one's own, `#/demo/NAME`. Pure. */

export type Arrival =
  | { readonly kind: 'invitation'; readonly secret: string }
  /** Everything that the QR code of a first device says. */
  | { readonly kind: 'device-link'; readonly fragment: string }
  /** Of a demonstration: its server signs this person in. */
  | { readonly kind: 'demo'; readonly localpart: string }
  | { readonly kind: 'none' }

export function arrivalOf(address: { readonly pathname: string; readonly hash: string }): Arrival {
  const fragment = address.hash.replace(/^#/, '')
  const demo = /^\/demo\/([a-z0-9._=/+-]+)$/.exec(fragment)
  if (demo) return { kind: 'demo', localpart: demo[1]! }
  if (fragment === '' || fragment.startsWith('/')) return { kind: 'none' }
  if (address.pathname === '/enrol') return { kind: 'invitation', secret: fragment }
  if (address.pathname === '/link') return { kind: 'device-link', fragment }
  return { kind: 'none' }
}

/** What a person types or pastes, or a camera reads: a link, or the secret or code alone. Null: neither. */
export function arrivalIn(text: string, origin: string): Arrival | null {
  const trimmed = text.trim()
  if (/^https?:\/\//i.test(trimmed)) {
    if (!URL.canParse(trimmed)) return null
    const url = new URL(trimmed)
    // A link to another server leads there: here it would send its secret to the wrong one.
    if (url.origin !== origin) return null
    const arrival = arrivalOf(url)
    return arrival.kind === 'invitation' || arrival.kind === 'device-link' ? arrival : null
  }
  const code = trimmed.replace(/\s+/g, '')
  return /^[\w-]{6,200}$/.test(code) ? { kind: 'invitation', secret: code } : null
}
