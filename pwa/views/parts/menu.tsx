import './menu.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
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
  useLayoutEffect(() => {
    if (isOpen && root.current && list.current) place(list.current, root.current)
  }, [isOpen])
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

/** Below its button, or above where it would be cut; where neither side is high enough, it scrolls. */
function place(list: HTMLElement, root: HTMLElement): void {
  const button = root.getBoundingClientRect()
  const frame = frameOf(root)
  const below = frame.bottom - button.bottom
  const above = button.top - frame.top
  const isUp = list.offsetHeight + gap > below && above > below
  list.classList.toggle('up', isUp)
  list.style.maxBlockSize = `${Math.max(smallest, (isUp ? above : below) - 2 * gap)}px`
}

const gap = 6
const smallest = 96

/** What cuts it off: the nearest thing that scrolls, and the window. */
function frameOf(element: HTMLElement): { top: number; bottom: number } {
  const scroller = element.closest<HTMLElement>('.timeline, .dialog-body, .behind, .side, .list')
  const { top, bottom } = scroller?.getBoundingClientRect() ?? { top: 0, bottom: innerHeight }
  return { top: Math.max(0, top), bottom: Math.min(innerHeight, bottom) }
}
