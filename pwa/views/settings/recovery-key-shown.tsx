import { t } from '../../i18n/i18n.ts'
import { ourUserId } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { toast } from '../parts/toast.tsx'
import { printText } from './print-text.ts'
import { saveFile } from './save-file.ts'

/** The recovery key, once: to print, to write down, to save. */
export function RecoveryKeyShown({ recoveryKey, onClose }: { recoveryKey: string; onClose: () => void }) {
  const title = t('settings.recoveryFor', { user: ourUserId.value })
  const copy = async () => {
    await navigator.clipboard.writeText(recoveryKey)
    toast(t('parts.copied'))
  }
  const save = () =>
    saveFile(
      new Blob([`${title}\n\n${recoveryKey}\n`], { type: 'text/plain' }),
      `${t('settings.recoveryFileName')}.txt`,
    )
  return (
    <Dialog title={t('settings.newRecoveryShown')} onClose={onClose}>
      <p>{t('settings.newRecoveryOnce')}</p>
      <code class="recovery-key" translate={false}>
        {recoveryKey}
      </code>
      <div class="settings-acts">
        <Button onClick={() => printText(title, recoveryKey)}>{t('settings.printRecovery')}</Button>
        <Button onClick={save}>{t('settings.saveRecovery')}</Button>
        <Button onClick={copy}>{t('settings.copyRecovery')}</Button>
      </div>
      <Actions>
        <Button tone="main" onClick={onClose}>
          {t('settings.haveIt')}
        </Button>
      </Actions>
    </Dialog>
  )
}
