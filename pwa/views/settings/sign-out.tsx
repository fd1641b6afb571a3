import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call, connection } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'

/** What signing out means here and now: what waits, and whether the messages can ever be read again. */
export function SignOut() {
  const [waiting, setWaiting] = useState(0)
  const identity = useAsked('identity', () => call('identity', null))
  const { busy, error, act } = useAct()
  useEffect(() => {
    void call('waiting', null)
      .then(setWaiting)
      .catch(() => {})
  }, [])
  const isLast = identity.answer !== null && !identity.answer.otherDevices
  const isGrave = waiting > 0 || isLast
  return (
    <>
      <p>{t('settings.signOutText')}</p>
      {waiting > 0 && <Notice tone="bad">{t('settings.signOutWaiting', { count: waiting })}</Notice>}
      {isLast && (
        <Notice tone="bad">
          {identity.answer?.hasRecoveryKey ? t('settings.signOutLastRecovery') : t('settings.signOutLast')}
        </Notice>
      )}
      {connection.value.state === 'offline' && <Notice tone="warn">{t('settings.signOutOffline')}</Notice>}
      {error !== null && <Failure error={error} />}
      <Button tone="grave" busy={busy} onClick={() => act(() => call('signOut', null))}>
        {isGrave ? t('settings.signOutAnyway') : t('settings.signOut')}
      </Button>
    </>
  )
}
