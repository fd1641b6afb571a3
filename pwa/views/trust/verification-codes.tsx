import { useEffect, useState } from 'preact/hooks'
import type { Verification } from '../../e2ee/verification/flow.ts'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { codeOf, Failure, Notice } from '../parts/notice.tsx'
import { QrCode } from '../parts/qr-code.tsx'
import { hasCamera, QrScanner } from '../parts/qr-scanner.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAct } from '../use-act.ts'
import { waysOf } from './verification-flow.ts'

/** Codes first: one is shown, the other scanned. Pictures where there is no camera. */
export function Codes({ flow }: { flow: Verification }) {
  const ways = waysOf(flow, hasCamera())
  const [scanning, setScanning] = useState(ways.scan && !ways.show)
  const { busy, error, act } = useAct()
  const compare = ways.compare && (
    <Button
      tone={ways.show || ways.scan ? 'quiet' : 'main'}
      busy={busy}
      onClick={() => act(() => call('startSas', flow.flowId))}
    >
      {ways.show || ways.scan ? t('trust.compareInstead') : t('trust.compareStart')}
    </Button>
  )
  return (
    <>
      {!ways.show && !ways.scan && <p>{t('trust.compareOnly')}</p>}
      {ways.show && <p>{ways.scan ? t('trust.scanOrShow') : t('trust.showOnly')}</p>}
      {scanning ? <Scan flowId={flow.flowId} /> : ways.show && <OurCode flowId={flow.flowId} />}
      {error !== null && <Failure error={error} />}
      <div class="verification-ways">
        {ways.scan && ways.show && (
          <Button onClick={() => setScanning(!scanning)}>
            {scanning ? t('trust.showMine') : t('trust.scanTheirs')}
          </Button>
        )}
        {compare}
      </div>
    </>
  )
}

function OurCode({ flowId }: { flowId: string }) {
  const [bytes, setBytes] = useState<Uint8Array | null>(null)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    let gone = false
    // Each code has a secret of its own, and only the newest counts: asked for once.
    call('verificationQr', flowId).then(
      code => {
        if (!gone) setBytes(code)
      },
      failure => {
        if (!gone) setError(failure)
      },
    )
    return () => {
      gone = true
    }
  }, [flowId])
  if (error !== null) return <Failure error={error} />
  return bytes ? <QrCode content={bytes} label={t('trust.yourCode')} /> : <Skeleton lines={4} />
}

const otherCodes = ['QR_MALFORMED', 'QR_UNKNOWN_VERSION', 'QR_OTHER_FLOW']

function Scan({ flowId }: { flowId: string }) {
  const [error, setError] = useState<unknown>(null)
  const read = (bytes: Uint8Array<ArrayBuffer>) => {
    call('scanVerificationQr', { flowId, bytes }).catch(setError)
  }
  return (
    <>
      <QrScanner label={t('trust.cameraView')} onRead={read} />
      {error !== null &&
        (otherCodes.includes(codeOf(error)) ? (
          <Notice tone="warn">{t('trust.wrongCode')}</Notice>
        ) : (
          <Failure error={error} />
        ))}
    </>
  )
}
