import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { account, ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { become, forgetThisDevice, goOn, signInWithPasskey, unlock, unlockWithPasskey } from './flow.ts'
import type { Missing } from './support.ts'

/** The vault is here and shut: each way in that it has, the passkey first. */
export function LockedView() {
  const { busy, error, act } = useAct()
  const [other, setOther] = useState<'passphrase' | 'recovery-key' | null>(null)
  const [text, setText] = useState('')
  const waysIn = ownerState.value?.waysIn ?? []
  const credentialIds = waysIn.flatMap(way => (way.kind === 'passkey' ? [way.credentialId] : []))
  const has = (kind: string) => waysIn.some(way => way.kind === kind)
  const shown =
    other ?? (credentialIds.length === 0 ? (has('passphrase') ? 'passphrase' : 'recovery-key') : null)
  const submit = (event: Event) => {
    event.preventDefault()
    void act(() =>
      unlock(
        shown === 'passphrase'
          ? { kind: 'passphrase', passphrase: text }
          : { kind: 'recovery-text', text: text.trim() },
      ),
    )
  }
  return (
    <Page title={t('enter.lockedTitle')} lead={t('enter.lockedLead')}>
      <p class="enter-who">
        <Code>{account.value ?? ''}</Code>
      </p>
      {error !== null && <Failure error={error} />}
      {credentialIds.length > 0 && (
        <div class="enter-acts">
          <Button
            tone="main"
            busy={busy}
            autoFocus
            onClick={() => void act(() => unlockWithPasskey(credentialIds))}
          >
            {t('enter.unlockPasskey')}
          </Button>
        </div>
      )}
      {shown !== null && (
        <form class="enter-other" onSubmit={submit}>
          <Field
            type={shown === 'passphrase' ? 'password' : 'text'}
            label={shown === 'passphrase' ? t('enter.passphrase') : t('enter.recoveryKey')}
            value={text}
            autoComplete={shown === 'passphrase' ? 'current-password' : 'off'}
            spellcheck={false}
            dir="ltr"
            onInput={event => setText(event.currentTarget.value)}
          >
            <Button type="submit" busy={busy} disabled={text.trim() === ''}>
              {t('enter.unlock')}
            </Button>
          </Field>
        </form>
      )}
      <p class="enter-foot">
        {has('passphrase') && shown !== 'passphrase' && (
          <Button tone="quiet" onClick={() => setOther('passphrase')}>
            {t('enter.usePassphrase')}
          </Button>
        )}
        {has('recovery-key') && shown !== 'recovery-key' && (
          <Button tone="quiet" onClick={() => setOther('recovery-key')}>
            {t('enter.useRecoveryKey')}
          </Button>
        )}
        <Button tone="quiet" onClick={() => become({ kind: 'lost' })}>
          {t('enter.lostEverything')}
        </Button>
      </p>
    </Page>
  )
}

/** Says what comes back and what does not, before anything is given up. */
export function LostView() {
  const { busy, error, act } = useAct()
  const [isSure, setSure] = useState(false)
  const hasVault = ownerState.value?.vault === 'locked'
  return (
    <Page title={t('enter.lostTitle')} lead={t('enter.lostLead')}>
      <h2>{t('enter.lostReturns')}</h2>
      <ul class="enter-list">
        <li>{t('enter.lostRooms')}</li>
        <li>{t('enter.lostWithKey')}</li>
      </ul>
      <h2>{t('enter.lostGone')}</h2>
      <ul class="enter-list">
        <li>{t('enter.lostMessages')}</li>
        <li>{t('enter.lostQueued')}</li>
      </ul>
      <h2>{t('enter.lostHow')}</h2>
      <p>{t('enter.lostSteps')}</p>
      {error !== null && <Failure error={error} />}
      {hasVault && !isSure && (
        <div class="enter-acts">
          <Button tone="grave" onClick={() => setSure(true)}>
            {t('enter.forgetDevice')}
          </Button>
        </div>
      )}
      {hasVault && isSure && (
        <Notice
          tone="bad"
          actions={
            <Button tone="grave" busy={busy} onClick={() => void act(forgetThisDevice)}>
              {t('enter.forgetDeviceYes')}
            </Button>
          }
        >
          {t('enter.forgetDeviceSure')}
        </Notice>
      )}
      <p class="enter-foot">
        <Button tone="quiet" onClick={() => void goOn()}>
          {t('parts.back')}
        </Button>
      </p>
    </Page>
  )
}

export function EndedView({ why }: { why: 'revoked' | 'expired' }) {
  const { busy, error, act } = useAct()
  return (
    <Page
      title={why === 'revoked' ? t('enter.revokedTitle') : t('enter.expiredTitle')}
      lead={why === 'revoked' ? t('enter.revokedLead') : t('enter.expiredLead')}
    >
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        {why === 'expired' ? (
          <Button tone="main" busy={busy} onClick={() => void act(() => signInWithPasskey(true))}>
            {t('enter.signIn')}
          </Button>
        ) : (
          <Button tone="main" onClick={() => void forgetThisDevice()}>
            {t('enter.startAgain')}
          </Button>
        )}
      </div>
    </Page>
  )
}

export function MissingView({ what }: { what: Missing }) {
  return (
    <Page
      title={t('enter.missingTitle')}
      lead={t(`enter.missing_${what.replaceAll('-', '_')}` as 'enter.missing_wasm')}
    >
      <p>{t('enter.missingAdvice')}</p>
    </Page>
  )
}

/** A worker of another release owns the account. */
export function WaitingView() {
  return <Page title={t('enter.waitingTitle')} lead={t('enter.waitingLead')} />
}
