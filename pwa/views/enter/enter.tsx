/** Everything before the rooms: one page at a time, with the wordmark, a language to choose, and words. */
import './enter.css'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Language, languages, manner, setManner, t } from '../../i18n/i18n.ts'
import { account, connection, isWaiting } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { lazy } from '../parts/lazy.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { entry, stage } from './flow.ts'
import { InstallView } from './install-view.tsx'
import { InvitationView } from './invitation-view.tsx'
import { LockedView } from './locked-view.tsx'
import { PassphraseView } from './passphrase-view.tsx'
import {
  EndedView,
  InvitationFailed,
  LostView,
  MissingView,
  OccupiedView,
  OverdueView,
  SealedView,
  WaitingView,
} from './standing-views.tsx'
import { StartView } from './start-view.tsx'

const RecoveryKeyView = lazy(async () => (await import('./recovery-key-view.tsx')).RecoveryKeyView)
const LastStepView = lazy(async () => (await import('./last-step-view.tsx')).LastStepView)
const OpenIdentityView = lazy(async () => (await import('./open-identity-view.tsx')).OpenIdentityView)
const DamagedView = lazy(async () => (await import('./damaged-view.tsx')).loadDamagedView())
const DeviceLinkView = lazy(async () => (await import('./device-link-view.tsx')).DeviceLinkView)

export function Enter() {
  const [error, setError] = useState<unknown>(null)
  const begin = () => {
    setError(null)
    entry.arrive().catch(setError)
  }
  useEffect(begin, [])
  return (
    <div class="enter">
      <header class="enter-bar">
        <span class="wordmark">
          letro<i>.</i>
        </span>
        <LanguageChoice />
      </header>
      <main class="enter-page" id="main" data-stage={stage.value.kind}>
        {isWaiting.value ? (
          <WaitingView />
        ) : error ? (
          <Page title={t('enter.failedTitle')}>
            <Failure error={error} onRetry={begin} />
            {account.value !== null && (
              <p class="enter-foot">
                <Button
                  tone="quiet"
                  onClick={() => {
                    setError(null)
                    entry.become({ kind: 'lost' })
                  }}
                >
                  {t('enter.lostEverything')}
                </Button>
              </p>
            )}
          </Page>
        ) : (
          <Stage />
        )}
      </main>
    </div>
  )
}

function Stage() {
  const at = stage.value
  switch (at.kind) {
    case 'loading':
    case 'inside':
      return <Opening />
    case 'missing':
      return <MissingView what={at.what} />
    case 'start':
      return <StartView error={at.error ?? null} />
    case 'install':
      return <InstallView secret={at.secret} />
    case 'invitation':
      return <InvitationView secret={at.secret} invitation={at.invitation} />
    case 'invitation-failed':
      return <InvitationFailed secret={at.secret} error={at.error} />
    case 'occupied':
      return <OccupiedView by={at.by} />
    case 'device-link':
      return <DeviceLinkView fragment={at.fragment} />
    case 'passphrase':
      return <PassphraseView signedIn={at.signedIn} />
    case 'damaged':
      return <DamagedView />
    case 'locked':
      return <LockedView />
    case 'sealed':
      return <SealedView signedIn={at.signedIn} />
    case 'overdue':
      return <OverdueView days={at.days} />
    case 'setting-up':
      return <SettingUp error={at.error} />
    case 'open-identity':
      return <OpenIdentityView identity={at.identity} tried={at.error} />
    case 'recovery-key':
      return <RecoveryKeyView recoveryKey={at.recoveryKey} />
    case 'last-step':
      return <LastStepView facts={at.facts} />
    case 'lost':
      return <LostView />
    case 'ended':
      return <EndedView why={at.why} />
    default:
      return at satisfies never
  }
}

const slowAfterMs = 15_000

/** Mostly a moment. A browser whose storage does not answer keeps nobody before lines that never become words. */
function Opening() {
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(setSlow, slowAfterMs, true)
    return () => clearTimeout(timer)
  }, [])
  return (
    <>
      {isSlow && (
        <Notice tone="warn" actions={<Button onClick={() => location.reload()}>{t('rooms.reload')}</Button>}>
          {t('enter.slow')}
        </Notice>
      )}
      <Skeleton lines={4} />
    </>
  )
}

function SettingUp({ error }: { error: unknown }) {
  const isAlone = connection.value.state === 'offline'
  return (
    <Page title={t('enter.settingUp')} lead={t('enter.settingUpLead')}>
      {error !== null && <Failure error={error} onRetry={() => void entry.goOn()} />}
      {error === null && isAlone && <Notice tone="warn">{t('enter.settingUpOffline')}</Notice>}
      {error === null && <Skeleton lines={3} />}
    </Page>
  )
}

/** Its heading has the focus when it comes, so that it is read out. */
export function Page({
  title,
  lead,
  children,
}: {
  title: string
  lead?: ComponentChildren
  children?: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    heading.current?.focus()
    document.title = `${title} · Letro`
  }, [title])
  return (
    <section class="enter-section">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {lead !== undefined && <p class="enter-lead">{lead}</p>}
      {children}
    </section>
  )
}

function LanguageChoice() {
  return (
    <label class="enter-language">
      <span class="spoken">{t('enter.language')}</span>
      <select
        value={manner.value.language}
        onChange={event => void setManner({ language: event.currentTarget.value as Language })}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
