import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'

/** To the first message of a day. */
export function GoToDate({ onGo, onClose }: { onGo: (ts: number) => void; onClose: () => void }) {
  const [day, setDay] = useState(() => localDay(Date.now()))
  return (
    <Dialog title={t('room.goToDate')} onClose={onClose}>
      <form
        onSubmit={event => {
          event.preventDefault()
          const ts = new Date(`${day}T00:00`).getTime()
          if (Number.isFinite(ts)) onGo(ts)
        }}
      >
        <Field
          label={t('room.date')}
          type="date"
          dir="ltr"
          value={day}
          max={localDay(Date.now())}
          required
          onInput={event => setDay(event.currentTarget.value)}
        />
        <Actions>
          <Button onClick={onClose}>{t('parts.cancel')}</Button>
          <Button tone="main" type="submit">
            {t('room.go')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}

/** `2026-11-19`, of this time zone. */
function localDay(ts: number): string {
  const day = new Date(ts)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`
}
