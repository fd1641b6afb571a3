import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { CopyButton } from './facts.tsx'

export interface NewService {
  readonly user_id: string
  readonly device_id: string
  readonly access_token: string
}

/** What a service signs in with, shown once: the server keeps its hash alone. */
export function NewServiceDialog({ service, onClose }: { service: NewService; onClose: () => void }) {
  return (
    <Dialog title={t('people.serviceTitle')} onClose={onClose}>
      <p>{t('people.serviceFor', { who: service.user_id })}</p>
      <Notice tone="warn">
        <p>{t('people.serviceOnce')}</p>
      </Notice>
      <Code block>{service.access_token}</Code>
      <Actions>
        <CopyButton text={service.access_token} label={t('people.copyToken')} />
        <Button tone="main" onClick={onClose}>
          {t('parts.done')}
        </Button>
      </Actions>
    </Dialog>
  )
}
