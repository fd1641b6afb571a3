import './button.css'
import type { ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icon.tsx'

type Attributes = Omit<JSX.IntrinsicElements['button'], 'size' | 'icon'>

/** `main`: the one thing to do here, in copper. `quiet`: a word that acts. `grave`: what cannot be taken back. */
export function Button({
  tone = 'plain',
  busy = false,
  class: more = '',
  children,
  ...rest
}: Attributes & {
  tone?: 'main' | 'plain' | 'quiet' | 'grave'
  busy?: boolean
  children: ComponentChildren
}) {
  return (
    <button
      type="button"
      {...rest}
      class={`button ${tone} ${more}`}
      aria-busy={busy}
      disabled={busy || Boolean(rest.disabled)}
    >
      {children}
    </button>
  )
}

/** A sign alone never carries meaning: its label is read out and shown on hover. */
export function IconButton({
  icon,
  label,
  class: more = '',
  ...rest
}: Attributes & { icon: IconName; label: string }) {
  return (
    <button type="button" {...rest} class={`icon-button ${more}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  )
}
