import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { VaultError } from '../../vault/errors.ts'
import type { IdentityState } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { openerOf } from '../passkey-gesture.ts'
import { askToVerify } from '../trust/verifications.ts'
import { useAct } from '../use-act.ts'

/** This device is not part of our identity: a passkey, another device, or the recovery key brings it in. */
export function IdentityAccess({ identity }: { identity: IdentityState }) {
  const { passkeys, otherDevices, hasRecoveryKey } = identity
  const [isTyping, setTyping] = useState(false)
  const [text, setText] = useState('')
  const { busy, error, act } = useAct()
  const byPasskey = async () => {
    const opener = await openerOf(passkeys)
    if (!opener) throw new VaultError('PASSKEY_NO_PRF', 'the passkey gives no key')
    await call('openIdentity', opener)
  }
  const byRecovery = (event: Event) => {
    event.preventDefault()
    void act(() => call('openIdentity', { kind: 'recovery-text', text }))
  }
  return (
    <>
      <Notice tone="warn">{t('settings.identityLocked')}</Notice>
      <div class="settings-acts">
        {passkeys.length > 0 && (
          <Button tone="main" busy={busy} onClick={() => act(byPasskey)}>
            {t('settings.openByPasskey')}
          </Button>
        )}
        {otherDevices && (
          <Button disabled={busy} onClick={() => act(() => askToVerify({ userId: ourUserId.peek() }))}>
            {t('settings.openByDevice')}
          </Button>
        )}
        {hasRecoveryKey && (
          <Button disabled={busy} aria-expanded={isTyping} onClick={() => setTyping(!isTyping)}>
            {t('settings.openByRecovery')}
          </Button>
        )}
      </div>
      {isTyping && (
        <form onSubmit={byRecovery}>
          <Field
            label={t('settings.recoveryKeyInput')}
            dir="ltr"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            value={text}
            onInput={event => setText(event.currentTarget.value)}
          />
          <Button type="submit" tone="main" busy={busy} disabled={text.trim() === ''}>
            {t('settings.open')}
          </Button>
        </form>
      )}
      {error !== null && <Failure error={error} />}
    </>
  )
}
