/**
 * Where the person is: the address behind `#`, which browsers send to nobody. Room ids therefore are in no server's log.
 *
 * `#/room/ID`, `#/room/ID/EVENT`, `#/room/ID/thread/ROOT`, `#/person/ID`, `#/settings/PAGE`, `#/help/PAGE`, `#/search`,
 * `#/new/KIND`, `#/admin/PAGE`, `#/admin/PAGE/OF`. What is not known is the start.
 */
import { signal } from '@preact/signals'

export type Route =
  | { readonly view: 'start' }
  | {
      readonly view: 'room'
      readonly roomId: string
      readonly eventId?: string
      readonly threadRoot?: string
    }
  | { readonly view: 'person'; readonly userId: string }
  | { readonly view: 'settings' | 'help'; readonly page: string }
  | { readonly view: 'search' }
  /** The administration view; `of`: the one person, room or server that the page is about. */
  | { readonly view: 'admin'; readonly page: string; readonly of?: string }
  | { readonly view: 'new'; readonly kind: string }

export const route = signal<Route>(parseRoute(globalThis.location?.hash ?? ''))

/** To be called once, by the page. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    route.value = parseRoute(location.hash)
  })
}

export function go(to: Route, { replace = false } = {}): void {
  const address = addressOf(to)
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
  route.value = to
}

export function addressOf(to: Route): string {
  switch (to.view) {
    case 'start':
      return '#/'
    case 'room': {
      const room = `#/room/${encodeURIComponent(to.roomId)}`
      if (to.threadRoot !== undefined) return `${room}/thread/${encodeURIComponent(to.threadRoot)}`
      return to.eventId === undefined ? room : `${room}/${encodeURIComponent(to.eventId)}`
    }
    case 'person':
      return `#/person/${encodeURIComponent(to.userId)}`
    case 'settings':
    case 'help':
      return `#/${to.view}/${to.page}`
    case 'search':
      return '#/search'
    case 'admin':
      return `#/admin/${to.page}${to.of === undefined ? '' : `/${encodeURIComponent(to.of)}`}`
    case 'new':
      return `#/new/${encodeURIComponent(to.kind)}`
    default:
      return to satisfies never
  }
}

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  const [first = '', second = '', third = ''] = rest
  if (view === 'room' && first !== '') {
    if (second === 'thread' && third !== '') return { view, roomId: first, threadRoot: third }
    return second === '' ? { view, roomId: first } : { view, roomId: first, eventId: second }
  }
  if (view === 'person' && first !== '') return { view, userId: first }
  if (view === 'settings' || view === 'help') return { view, page: first }
  if (view === 'search') return { view }
  if (view === 'admin') return { view, page: first, ...(second !== '' && { of: second }) }
  if (view === 'new') return { view, kind: first }
  return { view: 'start' }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
