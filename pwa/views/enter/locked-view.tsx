import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { account, ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'

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
      entry.unlock(
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
            onClick={() => void act(() => entry.unlockWithPasskey(credentialIds))}
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
        <Button tone="quiet" onClick={() => entry.become({ kind: 'lost' })}>
          {t('enter.lostEverything')}
        </Button>
      </p>
    </Page>
  )
}
