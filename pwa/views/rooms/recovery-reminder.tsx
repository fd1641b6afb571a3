import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'

const askAgainMs = 30 * 24 * 60 * 60 * 1000
const groups = 12

/** After 30 days, once, quietly: do you still have it? */
export function RecoveryReminder() {
  const identity = useAsked(
    'identity',
    () => call('identity', null),
    notice => notice.kind === 'identity',
  )
  const [group] = useState(() => Math.floor(Math.random() * groups))
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const [isPutOff, setPutOff] = useState(false)
  const { busy, error, act } = useAct()
  const { answer } = identity
  if (isPutOff || !answer || answer.state !== 'ready' || !answer.hasRecoveryKey) return null
  if (Date.now() - answer.recoveryCheckedTs < askAgainMs) return null
  const check = async () => {
    const isRight = await call('checkRecoveryKey', { group, text: text.trim() })
    setWrong(!isRight)
    if (isRight) toast(t('rooms.recoveryGood'))
  }
  return (
    <Notice>
      <form
        onSubmit={event => {
          event.preventDefault()
          void act(check)
        }}
      >
        <p>{t('rooms.recoveryAsk')}</p>
        <Field
          label={t('enter.recoveryTypeBack', { group: group + 1 })}
          value={text}
          dir="ltr"
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          onInput={event => setText(event.currentTarget.value)}
          error={isWrong ? t('enter.recoveryWrong') : null}
        >
          <Button type="submit" busy={busy} disabled={text.trim() === ''}>
            {t('parts.done')}
          </Button>
        </Field>
        {error !== null && <Failure error={error} />}
        <Button tone="quiet" onClick={() => go({ view: 'settings', page: 'recovery' })}>
          {t('rooms.recoveryLost')}
        </Button>
        <Button tone="quiet" onClick={() => setPutOff(true)}>
          {t('enter.recoverySkip')}
        </Button>
      </form>
    </Notice>
  )
}
