import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { formatNumber, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Code } from '../parts/name.tsx'
import { QrCode } from '../parts/qr-code.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { addressOf } from '../route.ts'
import { saveFile } from '../settings/save-file.ts'
import { AdminFailure } from './act-dialog.tsx'
import type { PeerAnswer } from './answers.ts'
import { useAdmin } from './ask.ts'
import { Fact, Facts, Tag } from './facts.tsx'
import { OnePeer } from './one-peer.tsx'
import { PinHomeserver } from './pin-homeserver.tsx'
import { PinPeer } from './pin-peer.tsx'
import { RotateKey } from './rotate-key.tsx'
import { Words } from './words.tsx'

/** The servers that this one speaks with, or one of them. */
export function Peers({ of }: { of?: string }) {
  return of === undefined ? <PeersList /> : <OnePeer serverName={of} />
}

export interface SiteCard {
  readonly card: JsonObject
  readonly fingerprint: readonly string[]
}

function PeersList() {
  const asked = useAdmin<{ peers: PeerAnswer[] }>('/peers')
  const [isPinning, setPinning] = useState(false)
  const [isHomeserver, setHomeserver] = useState(false)
  const peers = asked.answer?.peers
  return (
    <>
      <p class="quiet">{t('site.peersText')}</p>
      <div class="settings-acts">
        <Button tone="main" onClick={() => setPinning(true)}>
          {t('site.pin')}
        </Button>
        <Button onClick={() => setHomeserver(true)}>{t('upkeep.pinHomeserver')}</Button>
      </div>
      {asked.error !== null && <AdminFailure error={asked.error} onRetry={asked.again} />}
      {!peers && asked.error === null && <Skeleton lines={5} />}
      {peers?.length === 0 && (
        <Empty title={t('site.noPeers')}>
          <p>{t('site.noPeersText')}</p>
        </Empty>
      )}
      {peers && peers.length > 0 && (
        <ul class="admin-rows">
          {peers.map(peer => (
            <li key={peer.server_name}>
              <a href={addressOf({ view: 'admin', page: 'peers', of: peer.server_name })}>
                <span class="admin-row-name">
                  <Code>{peer.server_name}</Code>
                  <small>
                    {t(`site.direction_${peer.direction}`)} · {t(`site.transport_${peer.transport}`)}
                  </small>
                </span>
                <PeerTags peer={peer} />
              </a>
            </li>
          ))}
        </ul>
      )}
      <OurCard />
      {isHomeserver && (
        <PinHomeserver
          onDone={() => {
            setHomeserver(false)
            asked.again()
          }}
          onClose={() => setHomeserver(false)}
        />
      )}
      {isPinning && (
        <PinPeer
          onDone={() => {
            setPinning(false)
            asked.again()
          }}
          onClose={() => setPinning(false)}
        />
      )}
    </>
  )
}

export function PeerTags({ peer }: { peer: PeerAnswer }) {
  const waiting = peer.outbound?.length ?? 0
  return (
    <span class="admin-tags">
      {peer.conflict && <Tag tone="bad">{t('site.conflict')}</Tag>}
      {peer.suspended && <Tag tone="warn">{t('site.suspended')}</Tag>}
      {waiting > 0 && <Tag>{t('site.waiting', { count: formatNumber(waiting) })}</Tag>}
    </span>
  )
}

/** What other administrators need of us: the file, its code, and the words to read aloud. */
function OurCard() {
  const asked = useAdmin<SiteCard & JsonObject>('/site-card')
  const ours = asked.answer
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!ours) return <Skeleton lines={3} />
  const text = JSON.stringify(ours.card)
  return (
    <section>
      <h3>{t('site.ourCard')}</h3>
      <p class="quiet">{t('site.ourCardText')}</p>
      <Words words={ours.fingerprint} label={t('site.ourWords')} />
      <Facts>
        <Fact name={t('upkeep.cardSerial')}>{String(ours.card['serial'] ?? '')}</Fact>
      </Facts>
      <div class="settings-acts">
        <Button onClick={() => saveFile(new Blob([text], { type: 'application/json' }), 'letro-card.json')}>
          {t('site.saveCard')}
        </Button>
        <RotateKey onDone={asked.again} />
      </div>
      <details>
        <summary>{t('site.cardQr')}</summary>
        <QrCode content={text} label={t('site.cardQr')} />
      </details>
    </section>
  )
}
