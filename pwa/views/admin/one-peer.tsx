import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { formatDateTime, formatNumber, t } from '../../i18n/i18n.ts'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { addressOf, go } from '../route.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { ActRow } from './act-row.tsx'
import type { PeerAnswer } from './answers.ts'
import { act, inPath, useAdmin } from './ask.ts'
import { useChosenAct } from './chosen-act.ts'
import { Fact, Facts } from './facts.tsx'
import { PeerTerms } from './peer-terms.tsx'
import { PeerTags, type SiteCard } from './peers.tsx'
import { Words } from './words.tsx'

type Asked = 'suspend' | 'terms' | 'remove'

/** One server: by which key it is known, how it stands, and what can be done. */
export function OnePeer({ serverName }: { serverName: string }) {
  const asked = useAdmin<PeerAnswer & JsonObject>(`/peers/${inPath(serverName)}`)
  const ours = useAdmin<SiteCard & JsonObject>('/site-card')
  const peer = asked.answer
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!peer) return <Skeleton lines={8} />
  return (
    <>
      <div class="admin-head">
        <h3>
          <Code>{peer.server_name}</Code>
        </h3>
        <PeerTags peer={peer} />
      </div>
      {peer.conflict && (
        <Notice tone="bad">{t('site.conflictText', { date: formatDateTime(peer.conflict.seen_ts) })}</Notice>
      )}
      {peer.suspended && (
        <Notice tone="warn">{t(peer.after_repair ? 'site.suspendedRepair' : 'site.suspendedText')}</Notice>
      )}
      <Queue peer={peer} />
      <div class="admin-side-by-side">
        <Words words={peer.fingerprint} label={t('site.theirWords')} />
        {ours.answer && <Words words={ours.answer.fingerprint} label={t('site.ourWords')} />}
      </div>
      <p class="quiet">{t('site.wordsText')}</p>
      <Facts>
        <Fact name={t('site.peerKind')}>{t(`site.peerKind_${peer.kind}`)}</Fact>
        <Fact name={t('site.direction')}>{t(`site.direction_${peer.direction}`)}</Fact>
        <Fact name={t('site.transport')}>{t(`site.transport_${peer.transport}`)}</Fact>
        <Fact name={t('site.address')}>
          <Code>{`${peer.address.host}:${peer.address.port}`}</Code>
        </Fact>
        {peer.issued_ts !== undefined && (
          <Fact name={t('site.issued')}>{formatDateTime(peer.issued_ts)}</Fact>
        )}
        {peer.residency !== undefined && (
          <Fact name={t('site.residency')}>
            <Code>{peer.residency}</Code>
          </Fact>
        )}
        {peer.note !== undefined && (
          <Fact name={t('site.note')}>
            <bdi>{peer.note}</bdi>
          </Fact>
        )}
        <Fact name={t('site.pinnedBy')}>
          <Code>{peer.pinned_by}</Code> · {formatDateTime(peer.pinned_ts)}
        </Fact>
        <Fact name={t('site.changedBy')}>
          <Code>{peer.changed_by}</Code> · {formatDateTime(peer.changed_ts)}
        </Fact>
      </Facts>
      <Acts peer={peer} onChange={asked.again} />
    </>
  )
}

function Queue({ peer }: { peer: PeerAnswer }) {
  const { length = 0, oldest_ts: oldest, last_error: error, next_try_ts: next } = peer.outbound ?? {}
  if (length === 0) return null
  return (
    <Notice tone={error === undefined ? 'plain' : 'warn'}>
      <p>{t('site.queue', { count: formatNumber(length) })}</p>
      {oldest !== undefined && <p>{t('site.queueOldest', { date: formatDateTime(oldest) })}</p>}
      {error !== undefined && (
        <p>
          {t('site.queueError')} <Code>{error}</Code>
          {next !== undefined && ` · ${t('site.queueNext', { date: formatDateTime(next) })}`}
        </p>
      )}
    </Notice>
  )
}

function Acts({ peer, onChange }: { peer: PeerAnswer; onChange: () => void }) {
  const { asked, setAsked, ends: common } = useChosenAct<Asked>(onChange)
  const path = `/peers/${inPath(peer.server_name)}`
  const words = peer.suspended ? 'resumePeer' : 'suspendPeer'
  return (
    <>
      <h3>{t('people.acts')}</h3>
      <ul class="settings-rows">
        <ActRow
          title={t('site.changeTerms')}
          text={t('site.changeTermsText')}
          onAsk={() => setAsked('terms')}
        />
        <ActRow title={t(`site.${words}`)} text={t(`site.${words}Text`)} onAsk={() => setAsked('suspend')} />
        <ActRow
          title={t('site.removePeer')}
          text={t('site.removePeerText')}
          grave
          onAsk={() => setAsked('remove')}
        />
      </ul>
      {asked === 'terms' && <Terms peer={peer} path={path} {...common} />}
      {asked === 'suspend' && (
        <ActDialog
          title={t(`site.${words}`)}
          confirm={t(`site.${words}`)}
          onDo={() => act('PUT', `${path}/suspended`, { suspended: !peer.suspended, version: peer.version })}
          {...common}
        >
          <p>{t(`site.${words}Text`)}</p>
        </ActDialog>
      )}
      {asked === 'remove' && (
        <ActDialog
          title={t('site.removePeer')}
          confirm={t('site.removePeer')}
          grave
          onDo={() => act('DELETE', path, { version: peer.version })}
          {...common}
          onDone={() => {
            toast(t('site.removedPeer', { server: peer.server_name }))
            go({ view: 'admin', page: 'peers' }, { replace: true })
          }}
        >
          <p>{t('site.removePeerText')}</p>
          <p>
            <a href={addressOf({ view: 'admin', page: 'rooms' })}>{t('site.removePeerRooms')}</a>
          </p>
        </ActDialog>
      )}
    </>
  )
}

function Terms({
  peer,
  path,
  ...common
}: {
  peer: PeerAnswer
  path: string
  onDone: () => void
  onChanged: () => void
  onClose: () => void
}) {
  const [direction, setDirection] = useState(peer.direction)
  const [note, setNote] = useState(peer.note ?? '')
  return (
    <ActDialog
      title={t('site.changeTerms')}
      confirm={t('parts.save')}
      onDo={() => act('PUT', path, { direction, note: note.trim(), version: peer.version })}
      {...common}
    >
      <PeerTerms direction={direction} onDirection={setDirection} note={note} onNote={setNote} />
    </ActDialog>
  )
}
