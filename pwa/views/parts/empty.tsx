import './empty.css'
import type { ComponentChildren } from 'preact'

/** Where nothing is yet: what this place is for, and what can be done. */
export function Empty({
  title,
  children,
  actions,
}: {
  title: ComponentChildren
  children?: ComponentChildren
  actions?: ComponentChildren
}) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
      {actions !== undefined && <div class="empty-actions">{actions}</div>}
    </div>
  )
}
