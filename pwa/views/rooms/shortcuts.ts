/** Keys that work everywhere. Those without a modifier do nothing where somebody writes. */
import { go, route } from '../route.ts'
import { type Command, commandOf } from './key-commands.ts'
import { sections, shownRoom } from './list-state.ts'
import { neighbour, nextUnread } from './sections.ts'
import { openSwitcher } from './switcher-state.ts'

/** Returns how to stop. */
export function listenForKeys(): () => void {
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

export function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || event.defaultPrevented || document.querySelector('dialog')) return
  const command = commandOf(event, isWriting(event.target))
  if (command === null || !run(command)) return
  event.preventDefault()
}

/** False: it has nothing to do here, and the key is somebody else's. */
function run(command: Command): boolean {
  switch (command) {
    case 'switch':
      openSwitcher()
      return true
    case 'next-unread':
    case 'previous-unread':
      return open(nextUnread(sections.value, shownRoom.value, command === 'next-unread' ? 1 : -1)?.roomId)
    case 'next':
    case 'previous':
      return open(neighbour(sections.value, shownRoom.value, command === 'next' ? 1 : -1)?.roomId)
    case 'help':
      go({ view: 'help', page: 'shortcuts' })
      return true
    case 'leave': {
      const { view } = route.value
      if (view === 'room' || view === 'start') return false
      go({ view: 'start' })
      return true
    }
    default:
      return command satisfies never
  }
}

function open(roomId: string | undefined): boolean {
  if (roomId !== undefined) go({ view: 'room', roomId })
  return true
}
