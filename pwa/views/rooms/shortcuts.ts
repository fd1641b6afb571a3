/** Keys that work everywhere. Those without a modifier do nothing where somebody writes. */
import { go, route } from '../route.ts'
import { sections, shownRoom } from './list-state.ts'
import { nextUnread } from './sections.ts'
import { isSwitching, openSwitcher } from './switcher-state.ts'

/** Returns how to stop. */
export function listenForKeys(): () => void {
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || document.querySelector('dialog[open]')) return
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
    event.preventDefault()
    openSwitcher()
  } else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    event.preventDefault()
    const next = nextUnread(sections.value, shownRoom.value, event.key === 'ArrowDown' ? 1 : -1)
    if (next) go({ view: 'room', roomId: next.roomId })
  } else if (event.key === '?' && !isWriting(event.target)) {
    event.preventDefault()
    go({ view: 'help', page: 'shortcuts' })
  } else if (event.key === 'Escape' && !isSwitching.value && !isWriting(event.target)) {
    const { view } = route.value
    if (view === 'settings' || view === 'help' || view === 'search' || view === 'new') go({ view: 'start' })
  }
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}
