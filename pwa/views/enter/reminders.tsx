import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { call, ownerState, sessionEnded } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { lazy } from '../parts/lazy.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { go } from '../route.ts'
import { isDemo } from '../server-info.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { entry } from './flow.ts'
import { type Reminder, reminderFor } from './reminder.ts'

const store = 'setting'
const id = 'reminders-put-off'

/** A quiet card for those who are in, at most one, where nothing else is asked of them. */
export function Reminders() {
  const asked = useAsked(
    'reminders',
    async () => {
      const [identity, passkeys, [putOff]] = await Promise.all([
        call('identity', null),
        call('passkeys', null).catch(() => null),
        call('read', { store, ids: [id] }),
      ])
      return { identity, passkeys, putOff: putOff ?? {} }
    },
    notice => notice.kind === 'identity',
  )
  const { answer } = asked
  const reminder = answer
    ? reminderFor({
        now: Date.now(),
        inMemory: ownerState.value?.inMemory === true,
        recoveryCheckedTs: answer.identity.recoveryCheckedTs,
        hasRecoveryKey: answer.identity.hasRecoveryKey,
        passkeys: answer.passkeys,
        putOff: answer.putOff as Partial<Record<Reminder, number>>,
      })
    : null
  if (!answer || !reminder || isDemo()) return null
  const putOff = async () => {
    const value: JsonObject = { ...answer.putOff, [reminder]: Date.now() }
    await call('write', [{ collection: store, id, value }])
    asked.again()
  }
  switch (reminder) {
    case 'recovery-never':
      return (
        <Card
          text={t('enter.remindRecoveryNever')}
          act={t('enter.remindRecoveryMake')}
          to="recovery"
          onLater={putOff}
        />
      )
    case 'recovery-check':
      return <RecoveryCheck onDone={asked.again} onLater={putOff} />
    case 'second-passkey':
      return (
        <Card
          text={t('enter.remindPasskey')}
          act={t('enter.remindPasskeyAdd')}
          to="passkeys"
          onLater={putOff}
        />
      )
    default:
      return reminder satisfies never
  }
}

function Card({
  text,
  act,
  to,
  onLater,
}: {
  text: string
  act: string
  to: string
  onLater: () => Promise<void>
}) {
  return (
    <Notice
      actions={
        <>
          <Button onClick={() => go({ view: 'settings', page: to })}>{act}</Button>
          <Button tone="quiet" onClick={() => void onLater()}>
            {t('enter.remindLater')}
          </Button>
        </>
      }
    >
      {text}
    </Notice>
  )
}

const AnyDamage = lazy(async () => (await import('../damage.tsx')).loadDamage())

/** What is stored here is broken in part, and a person has to decide. */
export function Damage() {
  return ownerState.value?.damaged.length ? <AnyDamage /> : null
}

/** The session ran out: nothing comes or goes until the person signs in again. */
export function Expired() {
  const { busy, error, act } = useAct()
  if (sessionEnded.value !== 'expired') return null
  return (
    <Notice
      tone="warn"
      actions={
        <Button tone="main" busy={busy} onClick={() => void act(() => entry.signInWithPasskey(true))}>
          {t('enter.signIn')}
        </Button>
      }
    >
      {t('enter.expiredLead')}
      {error !== null && <Failure error={error} />}
    </Notice>
  )
}

/** A recovery key has twelve groups of four: see e2ee/secret-storage.ts. */
const groups = 12

function RecoveryCheck({ onDone, onLater }: { onDone: () => void; onLater: () => Promise<void> }) {
  const [group] = useState(() => Math.floor(Math.random() * groups))
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const { busy, error, act } = useAct()
  const check = (event: Event) => {
    event.preventDefault()
    void act(async () => {
      const isRight = await call('checkRecoveryKey', { group, text })
      setWrong(!isRight)
      if (!isRight) return
      toast(t('enter.remindRecoveryRight'))
      onDone()
    })
  }
  return (
    <Notice>
      <p>{t('enter.remindRecovery')}</p>
      {error !== null && <Failure error={error} />}
      <form onSubmit={check}>
        <Field
          label={t('enter.recoveryTypeBack', { group: group + 1 })}
          dir="ltr"
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          maxLength={8}
          value={text}
          error={isWrong ? t('enter.recoveryWrong') : null}
          onInput={event => {
            setText(event.currentTarget.value)
            setWrong(false)
          }}
        >
          <Button type="submit" busy={busy} disabled={text.trim() === ''}>
            {t('parts.done')}
          </Button>
        </Field>
      </form>
      <div class="enter-acts">
        <Button tone="quiet" onClick={() => go({ view: 'settings', page: 'recovery' })}>
          {t('enter.remindRecoveryLost')}
        </Button>
        <Button tone="quiet" onClick={() => void onLater()}>
          {t('enter.remindLater')}
        </Button>
      </div>
    </Notice>
  )
}
