import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import type { LastFacts } from './stage.ts'

/** This device is in: a passkey may sign its keys, and what is worth knowing of it is said once. */
export function LastStepView({ facts }: { facts: LastFacts }) {
  const { busy, error, act } = useAct()
  const { mayConfirm, isOnlyPasskey, isKept, rings } = facts
  return (
    <Page title={t('enter.lastTitle')} lead={mayConfirm ? t('enter.lastConfirm') : t('enter.lastLead')}>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        {mayConfirm ? (
          <>
            <Button tone="main" busy={busy} onClick={() => void act(() => entry.identity.confirmDevice())}>
              {t('enter.confirmDevice')}
            </Button>
            <Button onClick={() => entry.identity.finish()}>{t('enter.confirmLater')}</Button>
          </>
        ) : (
          <Button tone="main" onClick={() => entry.identity.finish()}>
            {t('enter.open')}
          </Button>
        )}
      </div>
      {(isOnlyPasskey || !isKept || !rings) && (
        <section class="enter-other">
          <h2>{t('enter.goodToKnow')}</h2>
          <ul class="enter-list">
            {isOnlyPasskey && <li>{t('enter.onlyPasskey')}</li>}
            {!rings && <li>{t('enter.ringsNot')}</li>}
            {!isKept && <li>{t('enter.mayBeCleared')}</li>}
          </ul>
        </section>
      )}
    </Page>
  )
}
