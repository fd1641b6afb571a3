/** What a notification says while the app is closed: the service worker's words, which know nothing of the page's. */
export const push = {
  rooms: { one: 'Something new in {count} room', other: 'Something new in {count} rooms' },
  something: 'Something new',
}
