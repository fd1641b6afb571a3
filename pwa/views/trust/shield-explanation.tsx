import './trust.css'
import type { Shield } from '../../e2ee/room-decryption.ts'
import { type Key, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { go } from '../route.ts'
import { usePersonName } from './use-person-name.ts'

/** A message's mark in words: what is wrong, and what it means. */
export const shieldWords = {
  none: ['trust.shieldNone', null],
  'identity-changed': ['trust.shieldIdentityChanged', 'trust.shieldIdentityChangedText'],
  'unsigned-device': ['trust.shieldUnsigned', 'trust.shieldUnsignedText'],
  'unknown-device': ['trust.shieldUnknown', 'trust.shieldUnknownText'],
  'not-authentic': ['trust.shieldNotAuthentic', 'trust.shieldNotAuthenticText'],
} as const satisfies Record<Shield, readonly [Key, Key | null]>

export function ShieldExplanation({
  shield,
  sender,
  keyGivenBy,
  onClose,
}: {
  shield: Shield
  sender: string
  keyGivenBy: string | null
  onClose: () => void
}) {
  const [title, text] = shieldWords[shield]
  const open = () => {
    onClose()
    go({ view: 'person', userId: sender })
  }
  return (
    <Dialog title={t('trust.shieldTitle')} onClose={onClose}>
      <h3>{t(title)}</h3>
      {text && <p>{t(text)}</p>}
      {keyGivenBy !== null && <GivenBy userId={keyGivenBy} />}
      <Actions>
        <Button onClick={open}>{t('trust.devices')}</Button>
        <Button tone="main" onClick={onClose}>
          {t('parts.close')}
        </Button>
      </Actions>
    </Dialog>
  )
}

function GivenBy({ userId }: { userId: string }) {
  const name = usePersonName(userId)
  return <p>{t('trust.shieldGivenBy', { name })}</p>
}
