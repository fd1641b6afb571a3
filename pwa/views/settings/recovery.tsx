import { useState } from 'preact/hooks'
import { formatDate, t } from '../../i18n/i18n.ts'
import type { IdentityState } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { confirmed, openerOf } from '../passkey-gesture.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { IdentityAccess } from './identity-access.tsx'
import { RecoveryKeyShown } from './recovery-key-shown.tsx'

/** Whether the messages survive the loss of all devices, and what has to be done for it. */
export function Recovery() {
  const identity = useAsked(
    'identity',
    () => call('identity', null),
    notice => notice.kind === 'identity',
  )
  const [shown, setShown] = useState<string | null>(null)
  const { answer } = identity
  return (
    <>
      <p>{t('settings.recoveryText')}</p>
      {identity.error !== null && <Failure error={identity.error} onRetry={identity.again} />}
      {!answer && identity.error === null && <Skeleton lines={6} />}
      {answer?.state === 'unknown' && <Notice>{t('settings.identityUnknown')}</Notice>}
      {answer?.state === 'none' && <Notice tone="warn">{t('settings.identityNone')}</Notice>}
      {answer?.state === 'locked' && <IdentityAccess identity={answer} />}
      {answer?.state === 'ready' && (
        <>
          <p class="trust-good">{t('settings.identityReady')}</p>
          <RecoveryKey identity={answer} onMade={setShown} />
          <Backup backup={answer.backup} />
        </>
      )}
      {answer && answer.state !== 'ready' && answer.state !== 'unknown' && <Reset onMade={setShown} />}
      {shown !== null && (
        <RecoveryKeyShown
          recoveryKey={shown}
          onClose={() => {
            setShown(null)
            identity.again()
          }}
        />
      )}
    </>
  )
}

function RecoveryKey({
  identity,
  onMade,
}: {
  identity: IdentityState
  onMade: (recoveryKey: string) => void
}) {
  const { hasRecoveryKey, recoveryCheckedTs, passkeys } = identity
  const [isMaking, setMaking] = useState(false)
  const { busy, error, act } = useAct()
  const make = () =>
    act(async () => {
      // New storage is opened by no passkey until one is added: its secret is asked for first, while the person is here.
      const opener = passkeys.length > 0 ? await openerOf(passkeys) : null
      const { recoveryKey } = await call('newRecoveryKey', null)
      setMaking(false)
      onMade(recoveryKey)
      if (opener) await call('addPasskeyToIdentity', opener)
    })
  return (
    <section>
      <h3>{t('settings.recoveryKey')}</h3>
      <p>{hasRecoveryKey ? t('settings.hasRecovery') : t('settings.noRecovery')}</p>
      {hasRecoveryKey && (
        <p class="quiet">
          {recoveryCheckedTs > 0
            ? t('settings.recoveryChecked', { date: formatDate(recoveryCheckedTs) })
            : t('settings.recoveryNever')}
        </p>
      )}
      {hasRecoveryKey && <Check />}
      <div class="settings-acts">
        {!isMaking && <Button onClick={() => setMaking(true)}>{t('settings.newRecovery')}</Button>}
      </div>
      {isMaking && (
        <Notice
          tone="warn"
          actions={
            <Button tone="main" busy={busy} onClick={make}>
              {t('settings.newRecovery')}
            </Button>
          }
        >
          {t('settings.newRecoveryText')} {passkeys.length > 1 && t('settings.newRecoveryPasskeys')}
        </Notice>
      )}
      {error !== null && <Failure error={error} />}
    </section>
  )
}

/** A recovery key has twelve groups of four: see e2ee/secret-storage.ts. One of them is asked for. */
const groups = 12

function Check() {
  const [group, setGroup] = useState<number | null>(null)
  const [text, setText] = useState('')
  const [isRight, setRight] = useState<boolean | null>(null)
  const { busy, error, act } = useAct()
  const begin = () => {
    setGroup(1 + Math.floor(Math.random() * groups))
    setText('')
    setRight(null)
  }
  const check = (event: Event) => {
    event.preventDefault()
    void act(async () => setRight(await call('checkRecoveryKey', { group: group! - 1, text })))
  }
  return (
    <>
      {group === null && (
        <div class="settings-acts">
          <Button onClick={begin}>{t('settings.checkRecovery')}</Button>
        </div>
      )}
      {group !== null && isRight !== true && (
        <form onSubmit={check}>
          <p>{t('settings.checkRecoveryText', { group })}</p>
          <Field
            label={t('settings.checkRecoveryGroup', { group })}
            dir="ltr"
            autoComplete="off"
            spellcheck={false}
            value={text}
            maxLength={8}
            error={isRight === false ? t('settings.checkWrong') : null}
            onInput={event => {
              setText(event.currentTarget.value)
              setRight(null)
            }}
          />
          <Button type="submit" busy={busy} disabled={text.trim() === ''}>
            {t('settings.checkRecovery')}
          </Button>
        </form>
      )}
      {isRight === true && <Notice tone="good">{t('settings.checkRight')}</Notice>}
      {error !== null && <Failure error={error} />}
    </>
  )
}

function Backup({ backup }: { backup: IdentityState['backup'] }) {
  return (
    <section>
      <h3>{t('settings.backup')}</h3>
      {backup ? <p>{t('settings.backupOn')}</p> : <Notice tone="warn">{t('settings.backupOff')}</Notice>}
      {backup && (
        <p class="quiet">
          {backup.waiting > 0
            ? t('settings.backupWaiting', { count: backup.waiting, total: backup.total })
            : t('settings.backupAll', { count: backup.total })}
        </p>
      )}
    </section>
  )
}

/** The last way, where all is lost. */
function Reset({ onMade }: { onMade: (recoveryKey: string) => void }) {
  const { busy, error, act } = useAct()
  const reset = () =>
    act(async () => {
      const made = await confirmed((auth, prf) => call('resetIdentity', { prf, auth }))
      onMade(made.recoveryKey)
    })
  return (
    <details class="trust-end">
      <summary>{t('settings.reset')}</summary>
      <Notice
        tone="bad"
        actions={
          <Button tone="grave" busy={busy} onClick={reset}>
            {t('settings.resetConfirm')}
          </Button>
        }
      >
        {t('settings.resetText')}
      </Notice>
      {error !== null && <Failure error={error} />}
    </details>
  )
}
