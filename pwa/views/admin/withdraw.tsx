import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { toast } from '../parts/toast.tsx'
import { ActDialog } from './act-dialog.tsx'
import type { OpenLink } from './answers.ts'
import { act, inPath } from './ask.ts'

/** An open link opens nothing any more. */
export function Withdraw({ link, onDone }: { link: OpenLink; onDone: () => void }) {
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t('people.withdraw')}</Button>
      {asking && (
        <ActDialog
          title={t('people.withdraw')}
          confirm={t('people.withdraw')}
          onDo={() => act('DELETE', `/enrolment-links/${inPath(link.id)}`)}
          onDone={() => {
            setAsking(false)
            toast(t('people.withdrawn'))
            onDone()
          }}
          onClose={() => setAsking(false)}
        >
          <p>{t('people.withdrawText', { who: link.user_id })}</p>
        </ActDialog>
      )}
    </>
  )
}
