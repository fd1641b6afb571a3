/** Where a person stands and little is left to do: what is lost, what has ended, what this browser lacks. */
import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { account, call, connection, ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Code } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import type { SignedIn } from './server.ts'
import type { Missing } from './support.ts'

/** Says what comes back and what does not, before anything is given up. */
export function LostView() {
  const { busy, error, act } = useAct()
  const [isSure, setSure] = useState(false)
  // One whose header is damaged says nothing of its state.
  const hasVault = ownerState.value ? ownerState.value.vault === 'locked' : account.value !== null
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
            <Button tone="grave" busy={busy} onClick={() => void act(() => entry.forgetThisDevice())}>
              {t('enter.forgetDeviceYes')}
            </Button>
          }
        >
          {t('enter.forgetDeviceSure')}
        </Notice>
      )}
      <p class="enter-foot">
        <Button tone="quiet" onClick={() => void act(() => entry.resume())}>
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
          <>
            <Button tone="main" busy={busy} onClick={() => void act(() => entry.signInWithPasskey(true))}>
              {t('enter.signIn')}
            </Button>
            <Button onClick={() => entry.readOn()}>{t('enter.readOn')}</Button>
          </>
        ) : (
          <Button tone="main" onClick={() => void act(() => entry.forgetThisDevice())}>
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

/** What an earlier device left here stays shut: it is replaced by a person's yes alone, for messages may wait in it. */
export function SealedView({ signedIn }: { signedIn: SignedIn }) {
  const { busy, error, act } = useAct()
  return (
    <Page title={t('enter.sealedTitle')} lead={t('enter.sealedLead')}>
      <Notice tone="warn">{t('enter.forgetDeviceSure')}</Notice>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        <Button tone="grave" busy={busy} onClick={() => void act(() => entry.replaceSealed(signedIn))}>
          {t('enter.sealedReplace')}
        </Button>
        <Button busy={busy} onClick={() => void act(() => entry.leaveSealed(signedIn))}>
          {t('enter.sealedLeave')}
        </Button>
      </div>
      <p class="enter-note">{t('enter.sealedLeaveHint')}</p>
    </Page>
  )
}

/** Too long without contact: it goes on by itself as soon as the server answers. */
export function OverdueView({ days }: { days: number }) {
  const { busy, error, act } = useAct()
  useEffect(() => void call('reconnect', null).catch(() => {}), [])
  return (
    <Page title={t('enter.overdueTitle')} lead={t('enter.overdueLead', { count: days })}>
      <p role="status">
        {connection.value.state === 'offline' ? t('enter.overdueOffline') : t('enter.overdueAsking')}
      </p>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        <Button busy={busy} onClick={() => void act(() => call('reconnect', null))}>
          {t('parts.retry')}
        </Button>
        <Button tone="quiet" onClick={() => void act(() => call('lock', null))}>
          {t('enter.lockAgain')}
        </Button>
      </div>
    </Page>
  )
}

/** One account a browser: the invitation of somebody else is opened elsewhere, and is still good. */
export function OccupiedView({ by }: { by: string }) {
  const { busy, error, act } = useAct()
  return (
    <Page title={t('enter.occupiedTitle')} lead={t('enter.occupiedLead')}>
      <p class="enter-who">
        <Code>{by}</Code>
      </p>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        <Button tone="main" busy={busy} onClick={() => void act(() => entry.resume())}>
          {t('enter.occupiedGoOn')}
        </Button>
      </div>
      <p class="enter-note">{t('enter.occupiedHow')}</p>
    </Page>
  )
}

/** A link that was opened and leads nowhere, or not now. */
export function InvitationFailed({ secret, error }: { secret: string; error: unknown }) {
  const { busy, error: failure, act } = useAct()
  return (
    <Page title={t('enter.invitationFailed')}>
      <Failure error={failure ?? error} onRetry={() => void entry.followInvitation(secret)} />
      <div class="enter-acts">
        <Button busy={busy} onClick={() => void act(() => entry.resume())}>
          {t('enter.toStart')}
        </Button>
      </div>
    </Page>
  )
}
