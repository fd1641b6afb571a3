import './room-settings.css'
import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { Member, RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { Choice } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { RoomAccess } from './room-access.tsx'
import { RoomAppearance } from './room-appearance.tsx'
import { RoomDeparture } from './room-departure.tsx'
import { RoomRights } from './room-rights.tsx'
import { type NotifyLevel, notifyLevel } from './room-rules.ts'

/** A room's settings. What our role does not allow is shown, not offered. */
export function RoomSettings({
  detail,
  members,
  onClose,
}: {
  detail: RoomDetail
  members: readonly Member[]
  onClose: () => void
}) {
  const { entry } = detail
  return (
    <Dialog title={entry.isSpace ? t('trust.spaceSettings') : t('trust.roomSettings')} onClose={onClose} wide>
      <div class="room-settings">
        <RoomAppearance detail={detail} />
        {!entry.isSpace && <RoomNotifications roomId={entry.roomId} />}
        <RoomAccess detail={detail} />
        <RoomRights detail={detail} />
        <Facts detail={detail} />
        <RoomDeparture detail={detail} members={members} onClose={onClose} />
      </div>
    </Dialog>
  )
}

function RoomNotifications({ roomId }: { roomId: string }) {
  const rules = useAsked(
    'push rules',
    () => call('pushRules', null),
    notice => notice.kind === 'account-data' && notice.type === 'm.push_rules',
  )
  const { error, act } = useAct()
  const [chosen, setChosen] = useState<NotifyLevel | null>(null)
  const set = async (level: NotifyLevel) => {
    setChosen(level)
    if (!(await act(() => call('setMuted', { roomId, level })))) setChosen(null)
  }
  if (rules.error !== null) return <Failure error={rules.error} onRetry={rules.again} />
  if (!rules.answer) return null
  return (
    <section>
      <Choice
        label={t('trust.notifications')}
        value={chosen ?? notifyLevel(rules.answer, roomId)}
        options={[
          { value: 'all', label: t('trust.notifyAll') },
          { value: 'mentions', label: t('trust.notifyMentions') },
          { value: 'none', label: t('trust.notifyNone') },
        ]}
        onChange={set}
      />
      {error !== null && <Failure error={error} />}
    </section>
  )
}

function Facts({ detail }: { detail: RoomDetail }) {
  const { entry, version, canonicalAlias, may } = detail
  return (
    <section>
      <dl class="trust-facts">
        <dt>{t('trust.address')}</dt>
        <dd>{canonicalAlias === null ? t('trust.noAddress') : <Code>{canonicalAlias}</Code>}</dd>
        <dt>{t('trust.roomId')}</dt>
        <dd>
          <Code>{entry.roomId}</Code>
        </dd>
        <dt>{t('trust.version')}</dt>
        <dd>
          <bdi>{version}</bdi>
        </dd>
      </dl>
      {may.upgrade && isOld(version) && <Upgrade roomId={entry.roomId} />}
    </section>
  )
}

/** The version that our servers make rooms of; see server/protocol/room-versions.ts. */
const newestVersion = 12

function isOld(version: string): boolean {
  return /^\d+$/.test(version) && Number(version) < newestVersion
}

function Upgrade({ roomId }: { roomId: string }) {
  const [isAsking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  const upgrade = () => call('upgradeRoom', { roomId, version: String(newestVersion) })
  if (!isAsking) return <Button onClick={() => setAsking(true)}>{t('trust.upgrade')}</Button>
  return (
    <>
      <p>{t('trust.upgradeText')}</p>
      {error !== null && <Failure error={error} />}
      <Button tone="main" busy={busy} onClick={() => act(upgrade)}>
        {t('trust.upgrade')}
      </Button>
    </>
  )
}
