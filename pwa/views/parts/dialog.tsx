import './dialog.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { IconButton } from './button.tsx'

/** A question over everything else. The browser keeps the focus in it, closes it on Escape, and gives the focus back. */
export function Dialog({
  title,
  onClose,
  children,
  wide = false,
}: {
  title: ComponentChildren
  /** Null: it cannot be left now. */
  onClose: (() => void) | null
  children: ComponentChildren
  wide?: boolean
}) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={event => {
        event.preventDefault()
        onClose?.()
      }}
      // Escape for the second time closes it whatever the page says: whoever keeps it open gets it back.
      onClose={({ currentTarget: dialog }) => {
        if (!dialog.isConnected) return
        onClose?.()
        requestAnimationFrame(() => {
          if (dialog.isConnected && !dialog.open) dialog.showModal()
        })
      }}
    >
      <header class="dialog-head">
        <h2 id={id}>{title}</h2>
        {onClose && <IconButton icon="close" label={t('parts.close')} onClick={onClose} />}
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  )
}

/** The buttons of a dialog or a form, the main one last. */
export function Actions({ children }: { children: ComponentChildren }) {
  return <div class="actions">{children}</div>
}
