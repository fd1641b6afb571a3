import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { QrCode } from '../parts/qr-code.tsx'
import type { NewLink } from './answers.ts'
import { CopyButton } from './facts.tsx'

/** The key to an account, shown once: as a code for a camera, to be typed, and to be sent. */
export function NewLinkDialog({ link, onClose }: { link: NewLink; onClose: () => void }) {
  return (
    <Dialog title={t('people.linkTitle')} onClose={onClose}>
      <p>{t('people.linkFor', { who: link.user_id })}</p>
      <Notice tone="warn">
        <p>{t('people.linkOnce')}</p>
      </Notice>
      <QrCode content={link.link} label={t('people.linkQr')} />
      {link.code !== undefined && (
        <p class="admin-code">
          <span class="spoken">{t('people.linkCode')}</span>
          <Code>{link.code}</Code>
        </p>
      )}
      <p class="quiet">{t('people.linkUntil', { date: formatDateTime(link.expires_ts) })}</p>
      <Actions>
        {link.code !== undefined && <CopyButton text={link.code} label={t('people.copyCode')} />}
        <CopyButton text={link.link} label={t('people.copyLink')} />
        <Button tone="main" onClick={onClose}>
          {t('parts.done')}
        </Button>
      </Actions>
    </Dialog>
  )
}
