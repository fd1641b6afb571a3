import './verification.css'
import { useState } from 'preact/hooks'
import type { Verification } from '../../e2ee/verification/flow.ts'
import { t } from '../../i18n/i18n.ts'
import { call, ourUserId, rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Icon } from '../parts/icon.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAct } from '../use-act.ts'
import { usePersonName } from './use-person-name.ts'
import { Codes } from './verification-codes.tsx'
import { endingOf, isOver, screenOf } from './verification-flow.ts'
import { Pictures } from './verification-pictures.tsx'
import { accept, askToVerify, close } from './verifications.ts'

/** One verification, from the request to its end. Closing it ends what goes on. */
export function VerificationSteps({ flow }: { flow: Verification }) {
  const isOwn = flow.userId === ourUserId.value
  const name = usePersonName(flow.userId)
  const leave = () => {
    if (!isOver(flow)) void call('cancelVerification', { flowId: flow.flowId }).catch(() => {})
    close(flow)
  }
  return (
    <Dialog title={isOwn ? t('trust.verifyOwnTitle') : t('trust.verification')} onClose={leave}>
      <div class="verification" aria-live="polite">
        <Step flow={flow} name={name} isOwn={isOwn} onLeave={leave} />
      </div>
    </Dialog>
  )
}

interface StepProps {
  readonly flow: Verification
  readonly name: string
  readonly isOwn: boolean
  readonly onLeave: () => void
}

function Step(props: StepProps) {
  const { flow, name, isOwn, onLeave } = props
  switch (screenOf(flow)) {
    case 'asked':
      return <Asked {...props} />
    case 'asking':
      return (
        <Waiting
          title={isOwn ? t('trust.askingOwn') : t('trust.asking', { name })}
          text={t(
            isOwn ? 'trust.askingOwnText' : isUnread(flow) ? 'trust.askingInvitedText' : 'trust.askingText',
          )}
          onLeave={onLeave}
        />
      )
    case 'codes':
      return <Codes flow={flow} />
    case 'exchanging':
      return <Waiting title={t('trust.exchanging')} onLeave={onLeave} />
    case 'comparing':
      return <Pictures flow={flow} />
    case 'waiting':
      return <Waiting title={t('trust.waitingOther')} onLeave={onLeave} />
    case 'fits':
      return <Fits {...props} />
    case 'scanned':
      return <Scanned {...props} />
    case 'done':
      return <Done {...props} />
    case 'cancelled':
      return <Ended {...props} />
  }
}

/** It waits in a conversation that they have not accepted yet. */
function isUnread({ roomId }: Verification): boolean {
  return roomId !== null && (rooms.value?.get(roomId)?.joinedCount ?? 2) < 2
}

function Asked({ flow, name, isOwn, onLeave }: StepProps) {
  const { busy, error, act } = useAct()
  return (
    <>
      <h3>{isOwn ? t('trust.askedOwn') : t('trust.asked', { name })}</h3>
      <p>{isOwn ? t('trust.askedOwnText') : t('trust.askedText')}</p>
      {isOwn && flow.deviceId && <p class="quiet">{t('trust.askedDevice', { device: flow.deviceId })}</p>}
      {error !== null && <Failure error={error} />}
      <Actions>
        <Button onClick={onLeave}>{t('trust.decline')}</Button>
        <Button tone="main" busy={busy} onClick={() => act(() => accept(flow))}>
          {t('trust.begin')}
        </Button>
      </Actions>
    </>
  )
}

function Waiting({ title, text, onLeave }: { title: string; text?: string; onLeave: () => void }) {
  return (
    <>
      <h3>{title}</h3>
      {text !== undefined && <p>{text}</p>}
      <Skeleton lines={2} />
      <Actions>
        <Button onClick={onLeave}>{t('parts.cancel')}</Button>
      </Actions>
    </>
  )
}

function Fits({ onLeave }: StepProps) {
  return (
    <>
      <Tick />
      <h3>{t('trust.codeFits')}</h3>
      <p>{t('trust.codeFitsText')}</p>
      <Actions>
        <Button onClick={onLeave}>{t('parts.cancel')}</Button>
      </Actions>
    </>
  )
}

function Tick() {
  return (
    <p class="verification-tick">
      <Icon name="check" size={40} />
    </p>
  )
}

function Scanned({ flow }: StepProps) {
  const { busy, error, act } = useAct()
  const { flowId } = flow
  return (
    <>
      <h3>{t('trust.scannedTitle')}</h3>
      <p>{t('trust.scannedText')}</p>
      {error !== null && <Failure error={error} />}
      <Actions>
        <Button onClick={() => act(() => call('cancelVerification', { flowId, mismatch: true }))}>
          {t('trust.scannedNo')}
        </Button>
        <Button tone="main" busy={busy} onClick={() => act(() => call('confirmScanned', flowId))}>
          {t('trust.scannedYes')}
        </Button>
      </Actions>
    </>
  )
}

function Done({ flow, name, isOwn }: StepProps) {
  return (
    <>
      <Tick />
      <h3>{isOwn ? t('trust.verifiedOwn') : t('trust.verified', { name })}</h3>
      <p>{isOwn ? t('trust.verifiedOwnText') : t('trust.verifiedText', { name })}</p>
      <Actions>
        <Button tone="main" onClick={() => close(flow)}>
          {t('parts.done')}
        </Button>
      </Actions>
    </>
  )
}

const endings = {
  declined: ['trust.endDeclined', 'trust.endDeclinedText'],
  timeout: ['trust.endTimeout', 'trust.endTimeoutText'],
  accepted_elsewhere: ['trust.endElsewhere', 'trust.endElsewhereText'],
  mismatch: ['trust.endMismatch', 'trust.endMismatchText'],
  key_mismatch: ['trust.endKeyMismatch', 'trust.endKeyMismatchText'],
  failed: ['trust.endFailed', 'trust.endFailedText'],
} as const

function Ended({ flow }: StepProps) {
  const [failure, setFailure] = useState<unknown>(null)
  const ending = endingOf(flow)
  const [title, text] = endings[ending]
  const isAlarming = ending === 'mismatch' || ending === 'key_mismatch'
  const again = async () => {
    const { userId, roomId, flowId } = flow
    try {
      await askToVerify(roomId === null ? { userId } : { userId, roomId })
      close({ ...flow, flowId })
    } catch (error) {
      setFailure(error)
    }
  }
  return (
    <>
      {isAlarming ? (
        <Notice tone="bad">
          <h3>{t(title)}</h3>
          <p>{t(text)}</p>
        </Notice>
      ) : (
        <>
          <h3>{t(title)}</h3>
          <p>{t(text)}</p>
        </>
      )}
      {failure !== null && <Failure error={failure} />}
      <Actions>
        {ending !== 'accepted_elsewhere' && <Button onClick={again}>{t('trust.again')}</Button>}
        <Button tone="main" onClick={() => close(flow)}>
          {t('parts.close')}
        </Button>
      </Actions>
    </>
  )
}
