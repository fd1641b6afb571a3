/**
 * Addresses of people, rooms and messages, as people paste them. Pure.
 *
 * Spec: appendices#matrixto-navigation, appendices#matrix-uri-scheme. Ours: the app's own address of a message.
 */
import { addressOf } from '../route.ts'

export type MatrixLink =
  | { readonly kind: 'person'; readonly userId: string }
  | {
      readonly kind: 'room'
      readonly room: string
      readonly eventId: string | null
      readonly via: readonly string[]
    }

export function parseMatrixLink(address: string, ownOrigin: string | null = null): MatrixLink | null {
  if (address.length > 2000) return null
  try {
    const url = new URL(address)
    if (url.protocol === 'matrix:') return fromUri(url)
    if (url.origin === 'https://matrix.to') return fromHash(url.hash)
    if (url.origin === ownOrigin) return fromOurs(url.hash)
  } catch {
    // No address at all.
  }
  return null
}

/** Where the app itself answers an address: what stands there is never asked of the site that the address names. */
export function addressInside(link: MatrixLink): string {
  if (link.kind === 'person') return addressOf({ view: 'person', userId: link.userId })
  const { room, eventId } = link
  if (room.startsWith('#')) return addressOf({ view: 'new', kind: `join-${room}` })
  return addressOf({ view: 'room', roomId: room, ...(eventId !== null && { eventId }) })
}

/** For `formatted_body`: the form that every Matrix client knows. It is never opened: the app answers it. */
export function personLink(userId: string): string {
  return `https://matrix.to/#/${encodeURIComponent(userId)}`
}

function fromHash(hash: string): MatrixLink | null {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [id = '', eventId] = path.split('/').map(decodeURIComponent)
  return linkTo(id, eventId ?? null, new URLSearchParams(query).getAll('via'))
}

function fromUri(url: URL): MatrixLink | null {
  const [kind, name = '', event, eventId] = url.pathname.split('/').map(decodeURIComponent)
  const sigil = { u: '@', user: '@', r: '#', room: '#', roomid: '!' }[kind ?? '']
  if (!sigil || name === '') return null
  const id = event === 'e' || event === 'event' ? `$${eventId ?? ''}` : null
  return linkTo(`${sigil}${name}`, id, url.searchParams.getAll('via'))
}

function fromOurs(hash: string): MatrixLink | null {
  const [view, id = '', eventId] = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)
  if (view === 'person') return linkTo(id, null, [])
  return view === 'room' ? linkTo(id, eventId ?? null, []) : null
}

function linkTo(id: string, eventId: string | null, via: readonly string[]): MatrixLink | null {
  if (/^@[^:\s]+:\S+$/.test(id)) return { kind: 'person', userId: id }
  // Rooms of version 12 have ids without a server.
  if (!/^#[^:\s]+:\S+$|^!\S+$/.test(id)) return null
  return { kind: 'room', room: id, eventId: eventId?.startsWith('$') ? eventId : null, via: via.slice(0, 5) }
}
