import { useState } from 'preact/hooks'
import { noonOf } from '../../i18n/calendar.ts'
import { addTexts, startOfDay, t } from '../../i18n/i18n.ts'
import { seldomTexts } from '../../i18n/seldom.ts'
import { Button } from '../parts/button.tsx'
import { DayPicker } from '../parts/day-picker.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'

export async function loadGoToDate() {
  await addTexts(seldomTexts)
  return GoToDate
}

/** To the first message of a day. */
function GoToDate({ onGo, onClose }: { onGo: (ts: number) => void; onClose: () => void }) {
  const today = noonOf(Date.now())
  const [day, setDay] = useState(today)
  const choose = () => onGo(startOfDay(day))
  return (
    <Dialog title={t('room.goToDate')} onClose={onClose}>
      <form
        onSubmit={event => {
          event.preventDefault()
          choose()
        }}
      >
        <DayPicker value={day} max={today} onChange={setDay} onChoose={choose} />
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
