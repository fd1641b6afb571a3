import { type Key, t } from '../../i18n/i18n.ts'
import type { Format } from './text-edits.ts'

const formats: readonly { format: Format; key: Key; sign: string }[] = [
  { format: 'bold', key: 'room.bold', sign: 'B' },
  { format: 'italic', key: 'room.italic', sign: 'I' },
  { format: 'strike', key: 'room.strike', sign: 'S' },
  { format: 'code', key: 'room.code', sign: '‹›' },
  { format: 'quote', key: 'room.quote', sign: '❝' },
  { format: 'list', key: 'room.list', sign: '•' },
  { format: 'link', key: 'room.link', sign: '⌁' },
]

/** Marks for the selection. The same as typing Markdown. */
export function ComposerBar({ onFormat }: { onFormat: (format: Format) => void }) {
  return (
    <div class="composer-bar" role="toolbar" aria-label={t('room.formatting')}>
      {formats.map(({ format, key, sign }) => (
        <button
          key={format}
          type="button"
          class={`format format-${format}`}
          aria-label={t(key)}
          title={t(key)}
          onMouseDown={event => event.preventDefault()}
          onClick={() => onFormat(format)}
        >
          <span aria-hidden="true">{sign}</span>
        </button>
      ))}
    </div>
  )
}
