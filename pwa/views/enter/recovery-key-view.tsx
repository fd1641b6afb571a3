import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { account, call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { saveFile } from '../settings/save-file.ts'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'

/** The key that opens everything when all passkeys are lost: printed or saved, then one group of it typed back. */
export function RecoveryKeyView({ recoveryKey }: { recoveryKey: string }) {
  const groups = recoveryKey.split(' ')
  const [isAsking, setAsking] = useState(false)
  const [group] = useState(() => Math.floor(Math.random() * groups.length))
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const { busy, error, act } = useAct()
  const check = (event: Event) => {
    event.preventDefault()
    void act(async () => {
      const isRight = await call('checkRecoveryKey', { group, text: text.trim() })
      setWrong(!isRight)
      if (isRight) await entry.identity.lastStep()
    })
  }
  const save = () =>
    saveFile(
      new Blob([`${t('enter.recoveryFile')}\n\n${account.value}\n${recoveryKey}\n`], { type: 'text/plain' }),
      'letro-recovery-key.txt',
    )
  const copy = async () => {
    await navigator.clipboard.writeText(recoveryKey)
    toast(t('parts.copied'))
  }
  return (
    <Page title={t('enter.recoveryTitle')} lead={t('enter.recoveryLead')}>
      <div class="recovery-sheet">
        <p class="recovery-for">
          <span>{t('enter.recoverySheet')}</span>
          <bdi>{account.value}</bdi>
        </p>
        <ol class="enter-key" dir="ltr" translate={false} aria-label={t('enter.recoveryKey')}>
          {groups.map((each, i) => (
            <li key={i}>{isAsking ? '····' : each}</li>
          ))}
        </ol>
      </div>
      {error !== null && <Failure error={error} />}
      {isAsking ? (
        <form onSubmit={check}>
          <Field
            label={t('enter.recoveryTypeBack', { group: group + 1 })}
            hint={t('enter.recoveryTypeHint')}
            value={text}
            autoFocus
            dir="ltr"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            onInput={event => setText(event.currentTarget.value)}
            error={isWrong ? t('enter.recoveryWrong') : null}
          />
          <div class="enter-acts">
            <Button tone="quiet" onClick={() => setAsking(false)}>
              {t('enter.recoveryShow')}
            </Button>
            <Button tone="main" type="submit" busy={busy} disabled={text.trim() === ''}>
              {t('parts.done')}
            </Button>
          </div>
        </form>
      ) : (
        <div class="enter-acts">
          <Button onClick={() => print()}>{t('enter.print')}</Button>
          <Button onClick={save}>{t('enter.saveFile')}</Button>
          <Button onClick={() => void copy()}>{t('parts.copy')}</Button>
          <Button tone="main" onClick={() => setAsking(true)}>
            {t('enter.recoveryKept')}
          </Button>
        </div>
      )}
      <p class="enter-note">{t('enter.recoveryLater')}</p>
      <p class="enter-foot">
        <Button tone="quiet" onClick={() => void act(() => entry.identity.lastStep())}>
          {t('enter.recoverySkip')}
        </Button>
      </p>
    </Page>
  )
}
