import './field.css'
import type { ComponentChildren, TargetedEvent } from 'preact'
import { useId } from 'preact/hooks'

/** What an input of text takes; Preact's own type is a union over all roles, which cannot be spread. */
interface Attributes {
  value?: string
  onInput?: (event: TargetedEvent<HTMLInputElement, InputEvent>) => void
  onChange?: (event: TargetedEvent<HTMLInputElement>) => void
  onKeyDown?: (event: TargetedEvent<HTMLInputElement, KeyboardEvent>) => void
  onBlur?: (event: TargetedEvent<HTMLInputElement, FocusEvent>) => void
  type?: 'text' | 'search' | 'password' | 'number' | 'date' | 'time'
  placeholder?: string
  required?: boolean
  disabled?: boolean
  readOnly?: boolean
  autoComplete?: string
  autoCapitalize?: 'off' | 'words' | 'characters'
  autoFocus?: boolean
  spellcheck?: boolean
  inputMode?: 'text' | 'numeric' | 'search'
  enterKeyHint?: 'done' | 'go' | 'next' | 'search' | 'send'
  maxLength?: number
  min?: string | number
  max?: string | number
  name?: string
  dir?: 'auto' | 'ltr' | 'rtl'
  list?: string
}

/** A line to type in, with its label, a hint, and what is wrong, each announced with it. */
export function Field({
  label,
  hint,
  error,
  children,
  dir = 'auto',
  ...rest
}: Attributes & {
  label: ComponentChildren
  hint?: ComponentChildren
  error?: string | null
  children?: ComponentChildren
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-line">
        <input
          id={id}
          dir={dir}
          {...(rest as object)}
          aria-invalid={Boolean(error)}
          aria-describedby={`${id}-hint ${id}-error`}
        />
        {children}
      </div>
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p class="field-error" id={`${id}-error`} aria-live="polite">
        {error}
      </p>
    </div>
  )
}

/** A yes or no with its words. */
export function Switch({
  label,
  hint,
  checked,
  onChange,
  disabled = false,
}: {
  label: ComponentChildren
  hint?: ComponentChildren
  checked: boolean
  onChange: (on: boolean) => void
  disabled?: boolean
}) {
  const id = useId()
  return (
    <div class="switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled}
        aria-describedby={`${id}-hint`}
        onChange={event => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

/** One of several, each said in words. */
export function Choice<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: ComponentChildren
  value: V
  options: readonly {
    readonly value: V
    readonly label: ComponentChildren
    readonly hint?: ComponentChildren
  }[]
  onChange: (value: V) => void
}) {
  const name = useId()
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map(option => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>
            {option.label}
            {option.hint !== undefined && <small>{option.hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
