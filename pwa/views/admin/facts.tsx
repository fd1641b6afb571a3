import type { ComponentChildren } from 'preact'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { toast } from '../parts/toast.tsx'

/** What is the case, one line each; what is false is left out. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="admin-facts">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** A state in a word: what is not as usual, beside a name. */
export function Tag({ tone, children }: { tone?: 'warn' | 'bad' | 'good'; children: ComponentChildren }) {
  return <span class={tone ? `admin-tag ${tone}` : 'admin-tag'}>{children}</span>
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    toast(t('parts.copied'))
  }
  return <Button onClick={copy}>{label}</Button>
}

/** One of several in a line of its own, for filters. */
export function Select<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: V
  options: readonly (readonly [value: V, label: string])[]
  onChange: (value: V) => void
}) {
  return (
    <label class="labelled">
      <span>{label}</span>
      <select value={value} onChange={event => onChange(event.currentTarget.value as V)}>
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
