import { useEffect, useRef, useState } from 'preact/hooks'
import { formatTime, t } from '../../i18n/i18n.ts'
import { call, onNotice } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { QrCode } from '../parts/qr-code.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { confirmed } from '../passkey-gesture.ts'
import { useAct } from '../use-act.ts'

interface Offer {
  readonly linkId: string
  readonly url: string
  readonly expiresTs: number
}

/** A code that a new device of ours scans: it signs in, and both trust each other. */
export function LinkDevice({ onClose }: { onClose: () => void }) {
  const [offer, setOffer] = useState<Offer | null>(null)
  const [state, setState] = useState<'joined' | 'done' | 'failed' | null>(null)
  const { error, act } = useAct()
  const current = useRef<string | null>(null)
  const make = () =>
    act(async () => {
      setState(null)
      setOffer(null)
      const made = await confirmed(auth => call('offerDeviceLink', { auth }))
      current.current = made.linkId
      setOffer(made)
    })
  useEffect(() => {
    void make()
    const stop = onNotice(notice => {
      if (notice.kind !== 'device-link' || notice.linkId !== current.current) return
      setState(notice.state)
      if (notice.state !== 'joined') current.current = null
    })
    return () => {
      stop()
      // Whoever photographed the code must not come later.
      if (current.current !== null) void call('cancelDeviceLink', current.current).catch(() => {})
    }
  }, [])
  return (
    <Dialog title={t('settings.linkDevice')} onClose={onClose}>
      {error !== null && <Failure error={error} onRetry={make} />}
      <div aria-live="polite">
        {state === 'joined' && <Notice>{t('settings.linkJoined')}</Notice>}
        {state === 'done' && <Notice tone="good">{t('settings.linkDone')}</Notice>}
        {state === 'failed' && <Notice tone="bad">{t('settings.linkFailed')}</Notice>}
      </div>
      {state === null && error === null && (offer ? <Code offer={offer} /> : <Skeleton lines={5} />)}
      <Actions>
        {state === 'failed' && <Button onClick={make}>{t('settings.linkAgain')}</Button>}
        <Button onClick={onClose}>{state === 'done' ? t('parts.done') : t('parts.cancel')}</Button>
      </Actions>
    </Dialog>
  )
}

function Code({ offer }: { offer: Offer }) {
  return (
    <>
      <p>{t('settings.linkText')}</p>
      <QrCode content={offer.url} label={t('settings.linkCode')} />
      <p class="quiet">{t('settings.linkExpires', { time: formatTime(offer.expiresTs) })}</p>
    </>
  )
}
