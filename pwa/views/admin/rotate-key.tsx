import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { toast } from '../parts/toast.tsx'
import { ActDialog } from './act-dialog.tsx'
import { act } from './ask.ts'

/** Another key signs from now on; what peers see of it is said before. */
export function RotateKey({ onDone }: { onDone: () => void }) {
  const [isAsking, setAsking] = useState(false)
  const rotate = async () => {
    const made = await act<JsonObject>('POST', '/site-card/rotate-key')
    toast(t('upkeep.rotated', { key: String(made['key_id']), serial: String(made['serial']) }))
  }
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t('upkeep.rotate')}</Button>
      {isAsking && (
        <ActDialog
          title={t('upkeep.rotate')}
          confirm={t('upkeep.rotate')}
          onDo={rotate}
          onDone={() => {
            setAsking(false)
            onDone()
          }}
          onClose={() => setAsking(false)}
        >
          <p>{t('upkeep.rotateText')}</p>
        </ActDialog>
      )}
    </>
  )
}
