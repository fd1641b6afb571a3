import './toast.css'
import { signal } from '@preact/signals'

interface Shown {
  readonly id: number
  readonly text: string
  readonly act: { readonly label: string; readonly run: () => void } | null
}

const shown = signal<readonly Shown[]>([])
const staysMs = 6000
let next = 1

/** A word in passing, announced; it goes by itself. Nothing that must be read or decided. */
export function toast(text: string, act: Shown['act'] = null): void {
  const id = next++
  shown.value = [...shown.value.slice(-2), { id, text, act }]
  setTimeout(() => dismiss(id), staysMs)
}

function dismiss(id: number): void {
  shown.value = shown.value.filter(each => each.id !== id)
}

/** Once in the page. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ id, text, act }) => (
        <div class="toast" key={id}>
          <span>{text}</span>
          {act && (
            <button
              type="button"
              onClick={() => {
                dismiss(id)
                act.run()
              }}
            >
              {act.label}
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
