import { useState } from 'preact/hooks'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { lazy } from '../parts/lazy.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import type { CardAnswer, Direction } from './answers.ts'
import { act, look } from './ask.ts'
import { Fact, Facts } from './facts.tsx'
import { PeerTerms } from './peer-terms.tsx'
import { CompareWords } from './words.tsx'

const QrScanner = lazy(async () => (await import('../parts/qr-scanner.tsx')).QrScanner)

/** A card of a site; more is none. */
const maxCardBytes = 64 * 1024

/** A server becomes a peer: its card, from a file or a camera, and the words that two people compared. */
export function PinPeer({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [card, setCard] = useState<JsonObject | null>(null)
  const [seen, setSeen] = useState<CardAnswer | null>(null)
  const [isScanning, setScanning] = useState(false)
  const [agrees, setAgrees] = useState(false)
  const [direction, setDirection] = useState<Direction>('both')
  const [note, setNote] = useState('')
  const { busy, error, act: run } = useAct()
  const read = (text: string) => {
    setScanning(false)
    setSeen(null)
    void run(async () => {
      const parsed = parsedCard(text)
      if (!parsed) throw { code: 'CARD_UNREADABLE' }
      setSeen(await look<CardAnswer>('/peers/check', { card: parsed }))
      setCard(parsed)
    })
  }
  const choose = async (file: File | undefined) => {
    if (file) read(file.size > maxCardBytes ? '' : await file.text())
  }
  // A newer card of a root that is pinned was compared already.
  const isNewer = seen?.pinned != null
  return (
    <ActDialog
      wide
      title={t('site.pin')}
      confirm={t(isNewer ? 'site.takeCard' : 'site.pin')}
      disabled={!seen || busy || (!isNewer && !agrees)}
      onDo={() =>
        act('POST', '/peers', {
          card: card!,
          fingerprint: seen!.fingerprint.join(' '),
          ...(!isNewer && { direction }),
          ...(note.trim() !== '' && { note: note.trim() }),
        })
      }
      onDone={() => {
        toast(t('site.pinned', { server: seen?.server_name ?? '' }))
        onDone()
      }}
      onClose={onClose}
    >
      <p>{t('site.pinText')}</p>
      <div class="settings-acts">
        <input
          type="file"
          accept=".json,application/json"
          aria-label={t('site.cardFile')}
          onChange={event => void choose(event.currentTarget.files?.[0])}
        />
        <Button aria-expanded={isScanning} onClick={() => setScanning(!isScanning)}>
          {t(isScanning ? 'enter.scanStop' : 'site.scanCard')}
        </Button>
      </div>
      {isScanning && (
        <QrScanner label={t('site.scanCard')} onRead={bytes => read(new TextDecoder().decode(bytes))} />
      )}
      {error !== null && <AdminFailure error={error} />}
      {seen && (
        <>
          <Facts>
            <Fact name={t('site.server')}>
              <Code>{seen.server_name}</Code>
            </Fact>
            <Fact name={t('site.address')}>
              <Code>{`${seen.address.host}:${seen.address.port}`}</Code>
            </Fact>
            <Fact name={t('site.issued')}>{formatDateTime(seen.issued_ts)}</Fact>
            {seen.residency !== undefined && (
              <Fact name={t('site.residency')}>
                <Code>{seen.residency}</Code>
              </Fact>
            )}
          </Facts>
          {isNewer ? (
            <Notice tone="good">{t('site.newerCard')}</Notice>
          ) : (
            <>
              <CompareWords words={seen.fingerprint} onAgree={setAgrees} />
              <PeerTerms direction={direction} onDirection={setDirection} note={note} onNote={setNote} />
            </>
          )}
        </>
      )}
    </ActDialog>
  )
}

function parsedCard(text: string): JsonObject | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : null
  } catch {
    return null
  }
}
