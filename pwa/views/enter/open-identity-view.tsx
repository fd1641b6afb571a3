import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { IdentityState } from '../../worker/calls.ts'
import { ourUserId } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { VerificationDialog } from '../trust/verification.tsx'
import { askToVerify, forgetOwnRequest } from '../trust/verifications.ts'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'

/** There is an identity, and this device is not part of it yet: by passkey, by another device, by the recovery key. */
export function OpenIdentityView({ identity, tried }: { identity: IdentityState; tried: unknown }) {
  const [text, setText] = useState('')
  const [isGivingUp, setGivingUp] = useState(false)
  const { busy, error, act } = useAct()
  const { passkeys, otherDevices, hasRecoveryKey } = identity
  // That this device is in, the next page says: not once more, when the rooms are here.
  useEffect(() => () => forgetOwnRequest(ourUserId.peek()), [])
  return (
    <Page title={t('enter.openTitle')} lead={t('enter.openLead')}>
      {(error ?? tried) !== null && <Failure error={error ?? tried} />}
      <div class="enter-acts">
        {passkeys.length > 0 && (
          <Button
            tone="main"
            busy={busy}
            onClick={() => void act(() => entry.identity.openWithPasskey(passkeys))}
          >
            {t('enter.openPasskey')}
          </Button>
        )}
        {otherDevices && (
          <Button
            tone={passkeys.length > 0 ? 'plain' : 'main'}
            busy={busy}
            onClick={() => void act(() => askToVerify({ userId: ourUserId.peek() }))}
          >
            {t('enter.openDevice')}
          </Button>
        )}
      </div>
      {hasRecoveryKey && (
        <form
          class="enter-other"
          onSubmit={event => {
            event.preventDefault()
            void act(() => entry.identity.openWithRecoveryKey(text.trim()))
          }}
        >
          <Field
            label={t('enter.recoveryKey')}
            hint={t('enter.recoveryKeyHint')}
            value={text}
            dir="ltr"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            onInput={event => setText(event.currentTarget.value)}
          >
            <Button type="submit" busy={busy} disabled={text.trim() === ''}>
              {t('enter.unlock')}
            </Button>
          </Field>
        </form>
      )}
      {isGivingUp ? (
        <Notice
          tone="bad"
          actions={
            <Button tone="grave" busy={busy} onClick={() => void act(() => entry.identity.startAgain())}>
              {t('enter.newIdentityYes')}
            </Button>
          }
        >
          {t('enter.newIdentitySure')}
        </Notice>
      ) : (
        <p class="enter-foot">
          <Button tone="quiet" onClick={() => setGivingUp(true)}>
            {t('enter.newIdentity')}
          </Button>
        </p>
      )}
      <VerificationDialog />
    </Page>
  )
}
