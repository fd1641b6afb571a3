import { useEffect, useState } from 'preact/hooks'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { formatBytes, t } from '../../i18n/i18n.ts'
import { askForPersistence } from '../../worker/account-client.ts'
import { call, ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Choice, Switch } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { lockChoices, preferences, setPreferences } from '../preferences.ts'
import { addressOf } from '../route.ts'
import { readServerInfo, serverInfo } from '../server-info.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { WaysIn } from './ways-in.tsx'

/** When Letro locks and what opens it; what others see of us; whom we do not want to hear; what is stored. */
export function Privacy() {
  return (
    <>
      {ownerState.value?.inMemory ? <Notice>{t('settings.inMemory')}</Notice> : <Lock />}
      <Others />
      <Blocked />
      <Storage />
    </>
  )
}

function Lock() {
  const { error, act } = useAct()
  useEffect(() => {
    if (!serverInfo.peek()) void readServerInfo().catch(() => {})
  }, [])
  const days = serverInfo.value?.lockAfterDays ?? 0
  return (
    <>
      <Choice
        label={t('settings.lockAfter')}
        value={String(preferences.value.lockAfterMinutes)}
        options={lockChoices.map(minutes => ({ value: String(minutes), label: lockWords(minutes) }))}
        onChange={minutes => setPreferences({ lockAfterMinutes: Number(minutes) })}
      />
      <p class="field-hint">{t('settings.lockAfterHint')}</p>
      {days > 0 && <p class="field-hint">{t('settings.policyLock', { count: days })}</p>}
      <div class="settings-acts">
        <Button onClick={() => act(() => call('lock', null))}>{t('settings.lockNow')}</Button>
      </div>
      {error !== null && <Failure error={error} />}
      <WaysIn />
    </>
  )
}

function lockWords(minutes: number): string {
  if (minutes === 0) return t('settings.lockNever')
  return minutes === 60 ? t('settings.lockHour') : t('settings.lockMinutes', { count: minutes })
}

const privacyType = 'org.letro.privacy'

function Others() {
  const privacy = useAsked(
    privacyType,
    () => call('accountData', privacyType),
    notice => notice.kind === 'account-data' && notice.type === privacyType,
  )
  const { busy, error, act } = useAct()
  const isOn = (name: string) => privacy.answer?.[name] === true
  const set = (name: string, on: boolean) =>
    act(async () => {
      const content = (await call('accountData', privacyType)) ?? {}
      await call('setAccountData', { type: privacyType, content: { ...content, [name]: on } })
      privacy.again()
    })
  return (
    <section>
      <h3>{t('settings.others')}</h3>
      <Switch
        label={t('settings.privateReceipts')}
        hint={t('settings.privateReceiptsHint')}
        checked={isOn('private_receipts')}
        disabled={busy}
        onChange={on => set('private_receipts', on)}
      />
      <Switch
        label={t('settings.hideTyping')}
        checked={isOn('hide_typing')}
        disabled={busy}
        onChange={on => set('hide_typing', on)}
      />
      {serverInfo.value?.hasPresence === true && (
        <Switch
          label={t('settings.hidePresence')}
          hint={t('settings.hidePresenceHint')}
          checked={isOn('hide_presence')}
          disabled={busy}
          onChange={on => set('hide_presence', on)}
        />
      )}
      {error !== null && <Failure error={error} />}
    </section>
  )
}

const ignoredType = 'm.ignored_user_list'

function Blocked() {
  const { answer } = useAsked(
    ignoredType,
    () => call('accountData', ignoredType),
    notice => notice.kind === 'account-data' && notice.type === ignoredType,
  )
  const users = Object.keys(usersIn(answer))
  return (
    <section>
      <h3>{t('settings.blockedPeople')}</h3>
      {users.length === 0 && <p class="quiet">{t('settings.nobodyBlocked')}</p>}
      <ul class="settings-rows" hidden={users.length === 0}>
        {users.map(userId => (
          <li key={userId}>
            <a href={addressOf({ view: 'person', userId })}>
              <Code>{userId}</Code>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}

function usersIn(content: JsonObject | null): JsonObject {
  const users = content?.['ignored_users']
  return isObject(users) ? users : {}
}

interface Stored {
  readonly used: number
  readonly available: number
  readonly isKept: boolean
}

function Storage() {
  const [stored, setStored] = useState<Stored | null>(null)
  const [isRefused, setRefused] = useState(false)
  const look = async () => {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate()
    setStored({ used: usage, available: quota, isKept: await navigator.storage.persisted() })
  }
  useEffect(() => {
    void look().catch(() => {})
  }, [])
  const ask = async () => {
    setRefused(!(await askForPersistence()))
    await look()
  }
  if (!stored) return null
  return (
    <section>
      <h3>{t('settings.storage')}</h3>
      <p>
        {t('settings.storageUsed', {
          used: formatBytes(stored.used),
          available: formatBytes(stored.available),
        })}
      </p>
      <p class="quiet">{stored.isKept ? t('settings.storageKept') : t('settings.storageMayGo')}</p>
      {!stored.isKept && <Button onClick={ask}>{t('settings.storageAsk')}</Button>}
      {isRefused && <Notice>{t('settings.storageRefused')}</Notice>}
    </section>
  )
}
