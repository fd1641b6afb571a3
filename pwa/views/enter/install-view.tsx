import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Code } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'

/** iOS: the installed app has a storage of its own, so that enrolment happens there. The code goes along by hand. */
export function InstallView({ secret }: { secret: string }) {
  const { busy, error, act } = useAct()
  const copy = async () => {
    await navigator.clipboard.writeText(secret)
    toast(t('parts.copied'))
  }
  return (
    <Page title={t('enter.installTitle')} lead={t('enter.installLead')}>
      <ol class="enter-steps">
        <li>{t('enter.installCopy')}</li>
        <li>{t('enter.installShare')}</li>
        <li>{t('enter.installOpen')}</li>
      </ol>
      <p class="enter-code">
        <Code block>{secret}</Code>
        <Button onClick={() => void copy()}>{t('parts.copy')}</Button>
      </p>
      {error !== null && <Failure error={error} />}
      <p class="enter-foot">
        <Button tone="quiet" busy={busy} onClick={() => void act(() => entry.showInvitation(secret))}>
          {t('enter.installSkip')}
        </Button>
      </p>
    </Page>
  )
}
