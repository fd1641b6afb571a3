import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { lazy } from '../parts/lazy.tsx'
import { hasCamera } from './support.ts'

const QrScanner = lazy(async () => (await import('../parts/qr-scanner.tsx')).QrScanner)

/** The camera reads the code of an enrolment sheet or of another device. */
export function LinkScanner({ onRead }: { onRead: (text: string) => void }) {
  const [isOn, setOn] = useState(false)
  if (!hasCamera()) return null
  const read = (bytes: Uint8Array) => {
    setOn(false)
    onRead(new TextDecoder().decode(bytes))
  }
  return (
    <>
      <div class="enter-acts">
        <Button aria-expanded={isOn} onClick={() => setOn(!isOn)}>
          {isOn ? t('enter.scanStop') : t('enter.scan')}
        </Button>
      </div>
      {isOn && <QrScanner label={t('enter.scanLabel')} onRead={read} />}
    </>
  )
}
