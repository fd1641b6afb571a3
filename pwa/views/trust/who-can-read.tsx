import './trust.css'
import { useState } from 'preact/hooks'
import { type Key, t } from '../../i18n/i18n.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { IconButton } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useAsked } from '../use-asked.ts'
import { DeviceFindings } from './device-findings.tsx'
import { MemberList } from './member-list.tsx'
import { Newcomers } from './newcomers.tsx'
import { organisationsOf, readersIn, serverOfUser } from './organisations.ts'
import { Person } from './person.tsx'
import { historyKey, joinRuleKey } from './room-rules.ts'
import { RoomSettings } from './room-settings.tsx'
import { useStandings } from './standings.ts'

/** The side pane of a room: who can read it, how it is protected, its people, its settings. */
export function WhoCanRead({ roomId, onClose }: { roomId: string; onClose?: () => void }) {
  const [selected, setSelected] = useState<string | null>(null)
  const [isSetting, setSetting] = useState(false)
  const detail = useAsked(
    `room ${roomId}`,
    () => call('room', roomId),
    notice =>
      (notice.kind === 'rooms' && notice.changed.some(entry => entry.roomId === roomId)) ||
      (notice.kind === 'members' && notice.roomId === roomId),
  )
  const members = useAsked(
    `members ${roomId}`,
    () => call('members', roomId),
    notice => notice.kind === 'members' && notice.roomId === roomId,
  )
  if (selected !== null) {
    return (
      <section class="trust" aria-label={t('trust.person')}>
        <header class="trust-bar">
          <IconButton icon="back" label={t('parts.back')} onClick={() => setSelected(null)} />
          <h2>{t('trust.person')}</h2>
        </header>
        <Person userId={selected} roomId={roomId} />
      </section>
    )
  }
  return (
    <section class="trust" aria-label={t('trust.whoCanRead')}>
      <header class="trust-bar">
        <h2>{t('trust.whoCanRead')}</h2>
        <IconButton icon="settings" label={t('trust.roomSettings')} onClick={() => setSetting(true)} />
        {onClose && <IconButton icon="close" label={t('parts.close')} onClick={onClose} />}
      </header>
      {detail.error !== null && <Failure error={detail.error} onRetry={detail.again} />}
      {members.error !== null && <Failure error={members.error} onRetry={members.again} />}
      {detail.answer && members.answer ? (
        <Readers detail={detail.answer} members={members.answer} onSelect={setSelected} />
      ) : (
        detail.error === null && members.error === null && <Skeleton lines={8} />
      )}
      {isSetting && detail.answer && (
        <RoomSettings
          detail={detail.answer}
          members={members.answer ?? []}
          onClose={() => setSetting(false)}
        />
      )}
    </section>
  )
}

interface ReadersProps {
  readonly detail: RoomDetail
  readonly members: readonly Member[]
  readonly onSelect: (userId: string) => void
}

function Readers({ detail, members, onSelect }: ReadersProps) {
  const { entry } = detail
  const readers = readersIn(members)
  const count = Math.max(readers.length, 1)
  return (
    <div class="trust-body">
      <p class="trust-lead">{t(leadKey(entry), { count })}</p>
      {entry.encrypted && <Newcomers entry={entry} members={members} />}
      <Organisations members={members} />
      {entry.encrypted && <DeviceFindings readers={readers} roomId={entry.roomId} onSelect={onSelect} />}
      <dl class="trust-facts">
        <dt>{t('trust.whoMayJoin')}</dt>
        <dd>{t(joinRuleKey(detail.joinRule))}</dd>
        {!entry.isSpace && (
          <>
            <dt>{t('trust.protection')}</dt>
            <dd>{entry.encrypted ? t('trust.encrypted') : t('trust.notEncrypted')}</dd>
            <dt>{t('trust.whatNewcomersSee')}</dt>
            <dd>{t(historyKey(detail.historyVisibility))}</dd>
            <dt>{t('trust.kept')}</dt>
            <dd>{entry.encrypted ? t('trust.keptEncrypted') : t('trust.keptPlain')}</dd>
          </>
        )}
      </dl>
      <MemberList detail={detail} members={members} onSelect={onSelect} />
    </div>
  )
}

function leadKey({ isSpace, encrypted }: RoomDetail['entry']): Key {
  if (isSpace) return 'trust.readersSpace'
  return encrypted ? 'trust.readersEncrypted' : 'trust.readersPlain'
}

const standingKeys = {
  suspended: 'trust.serverSuspended',
  closed: 'trust.serverClosed',
  away: 'trust.serverAway',
} as const

function Organisations({ members }: { members: readonly Member[] }) {
  const organisations = organisationsOf(members, serverOfUser(ourUserId.value))
  const standings = new Map(
    useStandings(organisations.map(({ server }) => server)).map(({ server, state }) => [server, state]),
  )
  const words = (server: string, isOurs: boolean): Key => {
    const state = standings.get(server)
    return isOurs ? 'trust.ourServer' : state ? standingKeys[state] : 'trust.otherServer'
  }
  return (
    <section>
      <h3>{t('trust.organisations')}</h3>
      <ul class="trust-organisations">
        {organisations.map(({ server, isOurs, people }) => (
          <li key={server}>
            <bdi dir="ltr">{server}</bdi>
            <small>
              {t(words(server, isOurs))} · {t('trust.peopleCount', { count: people })}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
}
