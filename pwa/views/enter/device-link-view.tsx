import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { suggestedName } from '../passkey-gesture.ts'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import { hasPasskeys, mustInstallFirst } from './support.ts'

/** A QR code of a first device was opened here: it signs this one in and lets it in, after a yes. */
export function DeviceLinkView({ fragment }: { fragment: string }) {
  const [name, setName] = useState(suggestedName)
  const { busy, error, act } = useAct()
  const enter = (event: Event) => {
    event.preventDefault()
    void act(() => entry.enterWithDeviceLink(fragment, name.trim() || suggestedName()))
  }
  return (
    <Page title={t('enter.linkTitle')} lead={t('enter.linkLead')}>
      {mustInstallFirst() && <Notice tone="warn">{t('enter.linkInstall')}</Notice>}
      {!hasPasskeys() && <Notice tone="bad">{t('enter.noPasskeys')}</Notice>}
      {error !== null && <Failure error={error} />}
      <form onSubmit={enter}>
        <Field
          label={t('enter.deviceName')}
          hint={t('enter.deviceNameHint')}
          value={name}
          maxLength={100}
          onInput={event => setName(event.currentTarget.value)}
        />
        <div class="enter-acts">
          <Button tone="main" type="submit" busy={busy} disabled={!hasPasskeys()}>
            {t('enter.linkYes')}
          </Button>
          <Button tone="quiet" onClick={() => void act(() => entry.resume())}>
            {t('parts.cancel')}
          </Button>
        </div>
      </form>
      <p class="enter-note">{t('enter.linkNote')}</p>
    </Page>
  )
}
