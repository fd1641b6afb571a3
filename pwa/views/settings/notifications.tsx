import { useEffect, useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { type Key, t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Switch } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { preferences, setPreferences } from '../preferences.ts'
import { readServerInfo, serverInfo } from '../server-info.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { changesFor, isOn, isSilent, type Subject, silence, subjects } from './notify-rules.ts'
import type { PushState } from './push-state.ts'
import { pushState, subscribe, unsubscribe } from './push-subscription.ts'

/** From the open tab, while Letro is closed, and for what. */
export function Notifications() {
  return (
    <>
      <Here />
      <Push />
      <Rules />
    </>
  )
}

function Here() {
  const isSupported = 'Notification' in globalThis
  const [permission, setPermission] = useState(isSupported ? Notification.permission : 'denied')
  const { notify, notifyContent, notifySound } = preferences.value
  return (
    <section>
      <h3>{t('settings.here')}</h3>
      {!isSupported && <Notice>{t('settings.notifyUnsupported')}</Notice>}
      {isSupported && permission === 'denied' && <Notice tone="warn">{t('settings.notifyDenied')}</Notice>}
      {permission === 'default' && (
        <>
          <p>{t('settings.notifyAsk')}</p>
          <Button tone="main" onClick={async () => setPermission(await Notification.requestPermission())}>
            {t('settings.notifyAllow')}
          </Button>
        </>
      )}
      {permission === 'granted' && (
        <>
          <p class="quiet">{t('settings.notifyAllowed')}</p>
          <Switch
            label={t('settings.notifyHere')}
            checked={notify}
            onChange={on => setPreferences({ notify: on })}
          />
          <Switch
            label={t('settings.notifyContent')}
            hint={t('settings.notifyContentHint')}
            checked={notifyContent}
            disabled={!notify}
            onChange={on => setPreferences({ notifyContent: on })}
          />
          <Switch
            label={t('settings.notifySound')}
            checked={notifySound}
            disabled={!notify}
            onChange={on => setPreferences({ notifySound: on })}
          />
        </>
      )}
    </section>
  )
}

function Push() {
  const [state, setState] = useState<PushState | null>(null)
  const { busy, error, act } = useAct()
  const info = serverInfo.value
  const look = async () => {
    if (!serverInfo.peek()) await readServerInfo()
    setState(await pushState(serverInfo.peek()?.push.allowed ?? false))
  }
  useEffect(() => {
    void act(look)
  }, [])
  const set = (on: boolean) =>
    act(async () => {
      if (on) await subscribe(info?.push.vapidPublicKey ?? '')
      else await unsubscribe()
      await look()
    })
  return (
    <section aria-busy={busy}>
      <h3>{t('settings.push')}</h3>
      {error !== null && <Failure error={error} onRetry={() => act(look)} />}
      {!state && error === null && <Skeleton lines={1} />}
      {state && <PushWords state={state} />}
      {(state?.kind === 'on' || state?.kind === 'off') && (
        <Switch
          label={t('settings.pushOn')}
          {...(state.kind === 'on' && { hint: t('settings.pushHint', { host: state.host }) })}
          checked={state.kind === 'on'}
          disabled={busy}
          onChange={set}
        />
      )}
    </section>
  )
}

function PushWords({ state }: { state: PushState }) {
  switch (state.kind) {
    case 'not-allowed':
      return (
        <Notice>
          <p>{willNotRing()}</p>
          <p>{t('settings.pushOffText')}</p>
        </Notice>
      )
    case 'install-first':
      return <Notice>{t('settings.pushInstall')}</Notice>
    case 'unsupported':
      return <Notice>{t('settings.pushUnsupported')}</Notice>
    case 'off':
      return <p>{willNotRing()}</p>
    case 'on':
      return <p>{t('settings.pushIsOn')}</p>
  }
}

function willNotRing(): string {
  return t(matchMedia('(pointer: coarse)').matches ? 'settings.pushOff' : 'settings.pushOffDevice')
}

const labels = {
  direct: 'settings.ruleDirect',
  rooms: 'settings.ruleRooms',
  mention: 'settings.ruleMention',
  roomMention: 'settings.ruleRoomMention',
  invite: 'settings.ruleInvite',
} as const satisfies Record<Subject, Key>

function Rules() {
  const rules = useAsked(
    'push rules',
    () => call('pushRules', null),
    notice => notice.kind === 'account-data' && notice.type === 'm.push_rules',
  )
  const { busy, error, act } = useAct()
  const change = (changes: readonly Parameters<typeof call<'setPushRule'>>[1][]) =>
    act(async () => {
      for (const each of changes) await call('setPushRule', each)
      rules.again()
    })
  return (
    <section>
      <h3>{t('settings.forWhat')}</h3>
      <p class="quiet">{t('settings.everywhere')}</p>
      {rules.error !== null && <Failure error={rules.error} onRetry={rules.again} />}
      {!rules.answer && rules.error === null && <Skeleton lines={5} />}
      {rules.answer && <RuleSwitches rules={rules.answer} busy={busy} onChange={change} />}
      {error !== null && <Failure error={error} />}
    </section>
  )
}

function RuleSwitches({
  rules,
  busy,
  onChange,
}: {
  rules: JsonObject
  busy: boolean
  onChange: (changes: ReturnType<typeof changesFor>) => void
}) {
  const isQuiet = isSilent(rules)
  return (
    <>
      <Switch
        label={t('settings.ruleNone')}
        hint={t('settings.ruleNoneHint')}
        checked={isQuiet}
        disabled={busy}
        onChange={on => onChange([silence(on)])}
      />
      {subjects.map(subject => (
        <Switch
          key={subject}
          label={t(labels[subject])}
          checked={!isQuiet && isOn(rules, subject)}
          disabled={busy || isQuiet}
          onChange={on => onChange(changesFor(subject, on))}
        />
      ))}
    </>
  )
}
