import './emoji-picker.css'
import { t } from '../../i18n/i18n.ts'
import { Dialog } from '../parts/dialog.tsx'
import { emojiGroups } from './emoji-set.ts'

/** A sheet of reactions. Loaded when first asked for. Screen readers name emoji themselves. */
export function EmojiPicker({
  onChoose,
  onClose,
}: {
  onChoose: (emoji: string) => void
  onClose: () => void
}) {
  return (
    <Dialog title={t('room.emojiTitle')} onClose={onClose}>
      <div class="emoji-groups" role="toolbar" aria-label={t('room.emojiTitle')} onKeyDown={moveAmong}>
        {emojiGroups.map(({ key, emoji }) => (
          <section key={key}>
            <h3>{t(key)}</h3>
            <div class="emoji-grid">
              {emoji.map(each => (
                <button key={each} type="button" onClick={() => onChoose(each)}>
                  {each}
                </button>
              ))}
            </div>
          </section>
        ))}
      </div>
    </Dialog>
  )
}

function moveAmong(event: KeyboardEvent): void {
  const isRtl = document.documentElement.dir === 'rtl'
  const step = { ArrowRight: isRtl ? -1 : 1, ArrowLeft: isRtl ? 1 : -1, ArrowDown: 8, ArrowUp: -8 }[event.key]
  if (step === undefined) return
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('button')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  event.preventDefault()
  all[Math.max(0, Math.min(all.length - 1, at + step))]?.focus()
}
