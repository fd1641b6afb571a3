import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { enterWithDeviceLink } from './flow.ts'

/** A QR code of a first device was opened here: it signs this one in and lets it in, after a yes. */
export function DeviceLinkView({ fragment }: { fragment: string }) {
  const { busy, error, act } = useAct()
  return (
    <Page title={t('enter.linkTitle')} lead={t('enter.linkLead')}>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        <Button tone="main" busy={busy} onClick={() => void act(() => enterWithDeviceLink(fragment))}>
          {t('enter.linkYes')}
        </Button>
      </div>
      <p class="enter-note">{t('enter.linkNote')}</p>
    </Page>
  )
}
