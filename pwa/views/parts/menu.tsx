import './menu.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { IconButton } from './button.tsx'
import type { IconName } from './icon.tsx'

export interface MenuItem {
  readonly label: ComponentChildren
  readonly onSelect: () => void
  readonly grave?: boolean
  readonly disabled?: boolean
  readonly checked?: boolean
}

/** A button that opens a list of acts. Arrow keys move, Escape closes, the focus goes back to the button. */
export function Menu({
  label,
  icon = 'more',
  items,
}: {
  label: string
  icon?: IconName
  items: readonly MenuItem[]
}) {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const button = () => root.current?.querySelector('button')
  const close = (refocus: boolean) => {
    setOpen(false)
    if (refocus) button()?.focus()
  }
  useEffect(() => {
    if (!isOpen) return
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    addEventListener('pointerdown', outside)
    list.current?.querySelector<HTMLElement>('[role^=menuitem]:not(:disabled)')?.focus()
    return () => removeEventListener('pointerdown', outside)
  }, [isOpen])
  const move = (event: KeyboardEvent) => {
    const entries = [
      ...(list.current?.querySelectorAll<HTMLElement>('[role^=menuitem]:not(:disabled)') ?? []),
    ]
    const at = entries.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key]
    if (event.key === 'Escape' || event.key === 'Tab') {
      if (event.key === 'Escape') event.stopPropagation()
      close(event.key === 'Escape')
    } else if (to !== undefined) {
      event.preventDefault()
      entries.at(to % entries.length)?.focus()
    }
  }
  return (
    <div class="menu" ref={root}>
      <IconButton
        icon={icon}
        label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <div class="menu-list" role="menu" id={id} aria-label={label} ref={list} onKeyDown={move}>
          {items.map((item, i) => (
            <button
              key={i}
              type="button"
              role={item.checked === undefined ? 'menuitem' : 'menuitemcheckbox'}
              {...(item.checked !== undefined && { 'aria-checked': item.checked })}
              tabIndex={-1}
              class={item.grave ? 'grave' : ''}
              disabled={item.disabled ?? false}
              onClick={() => {
                close(true)
                item.onSelect()
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
