import './switcher.css'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { lazy } from '../parts/lazy.tsx'
import { isSwitching } from './switcher-state.ts'

export const loadSwitcherList = async () => (await import('./switcher-list.tsx')).SwitcherList
const SwitcherList = lazy(loadSwitcherList)

/**
 * One line to type in: rooms, people, words of messages, and what can be done. The line is here as soon as it is asked for,
 * so that what is typed at once stands in it; what it finds comes after it.
 */
export function Switcher() {
  const dialog = useDialog(close)
  const [text, setText] = useState('')
  const [active, setActive] = useState<string>()
  /** Enter was pressed before there was anything to choose. */
  const isChosen = useRef(false)
  const keys = useRef((event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.isComposing) isChosen.current = true
  })
  const id = useId()
  return (
    <dialog class="switcher" ref={dialog} aria-label={t('rooms.find')}>
      <input
        type="text"
        role="combobox"
        aria-expanded={active !== undefined}
        aria-autocomplete="list"
        aria-controls={active && `${id}-list`}
        aria-activedescendant={active}
        aria-label={t('rooms.find')}
        placeholder={t('rooms.find')}
        dir="auto"
        autoComplete="off"
        spellcheck={false}
        value={text}
        onInput={event => {
          isChosen.current = false
          setText(event.currentTarget.value)
        }}
        onKeyDown={event => keys.current(event)}
      />
      <SwitcherList
        id={id}
        text={text}
        keys={keys}
        isChosen={isChosen}
        onActive={setActive}
        onChosen={close}
      />
    </dialog>
  )
}

function close(): void {
  isSwitching.value = false
}

/** Shown over everything; left by Escape, or by the ground behind it, which is the dialog itself. */
function useDialog(onLeave: () => void) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Before the next letter.
  useLayoutEffect(() => {
    const element = dialog.current!
    const leave = (event: Event) => {
      if (event.type === 'click' && event.target !== element) return
      event.preventDefault()
      onLeave()
    }
    element.showModal()
    element.addEventListener('click', leave)
    element.addEventListener('cancel', leave)
    return () => element.close()
  }, [])
  return dialog
}
