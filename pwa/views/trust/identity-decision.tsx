import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { askToVerify, roomToVerifyIn } from './verifications.ts'

/** "Is this still Amal?" Comparing comes first; accepting without is the other way. Nothing decides by itself. */
export function IdentityDecision({
  userId,
  name,
  isLost,
}: {
  userId: string
  name: string
  /** They had been compared before. */
  isLost: boolean
}) {
  const { busy, error, act } = useAct()
  const verify = async () => askToVerify({ userId, roomId: await roomToVerifyIn(userId) })
  const accept = async () => {
    await call('acceptIdentity', userId)
    toast(t('trust.accepted', { name }))
  }
  return (
    <Notice
      tone="bad"
      actions={
        <>
          <Button tone="main" busy={busy} onClick={() => act(verify)}>
            {t('trust.verify')}
          </Button>
          <Button disabled={busy} onClick={() => act(accept)}>
            {t('trust.acceptIdentity')}
          </Button>
        </>
      }
    >
      <strong>{t('trust.changedTitle', { name })}</strong>
      <p>{isLost ? t('trust.changedLostText', { name }) : t('trust.changedText', { name })}</p>
      <p>{t('trust.changedAdvice')}</p>
      {error !== null && <Failure error={error} />}
    </Notice>
  )
}
