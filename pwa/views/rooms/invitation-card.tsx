import { isObject } from '#protocol/json.ts'
import { formatWhen, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { call, session } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { BackToList } from './page.tsx'

/** Spec: client-server-api#mignored_user_list */
const ignoredType = 'm.ignored_user_list'

/** Who invites, from which organisation, into what. */
export function InvitationCard({ entry }: { entry: RoomEntry }) {
  const { busy, error, act } = useAct()
  const { roomId, invite, name, topic, isSpace, encrypted } = entry
  if (!invite) return null
  const server = invite.sender.slice(invite.sender.indexOf(':') + 1)
  const isForeign = server !== session.value?.serverName
  const block = async () => {
    const ignored = (await call('accountData', ignoredType))?.['ignored_users']
    await call('setAccountData', {
      type: ignoredType,
      content: { ignored_users: { ...(isObject(ignored) ? ignored : {}), [invite.sender]: {} } },
    })
    await call('leave', roomId)
    go({ view: 'start' })
  }
  return (
    <div class="invitation">
      <BackToList />
      <div class="invitation-card">
        <Avatar id={roomId} name={name} avatar={null} size="l" square={!invite.isDirect} />
        <h1>
          <Name of={name} fallback={t('rooms.emptyRoom')} />
        </h1>
        {topic !== null && (
          <p class="invitation-topic">
            <bdi>{plainName(topic, 300)}</bdi>
          </p>
        )}
        <dl class="invitation-facts">
          <dt>{t('rooms.inviteFrom')}</dt>
          <dd>
            <Name of={invite.senderName} /> <Code>{invite.sender}</Code>
          </dd>
          <dt>{t('rooms.inviteOrganisation')}</dt>
          <dd>
            <Code>{server}</Code>{' '}
            {isForeign ? <strong class="external">{t('rooms.external')}</strong> : t('rooms.thisServer')}
          </dd>
          {invite.ts > 0 && (
            <>
              <dt>{t('rooms.inviteWhen')}</dt>
              <dd>{formatWhen(invite.ts)}</dd>
            </>
          )}
          {invite.reason !== null && (
            <>
              <dt>{t('rooms.inviteReason')}</dt>
              <dd>
                <bdi>{plainName(invite.reason, 300)}</bdi>
              </dd>
            </>
          )}
        </dl>
        {!encrypted && !isSpace && <Notice tone="warn">{t('rooms.inviteNotEncrypted')}</Notice>}
        {error !== null && <Failure error={error} />}
        <div class="invitation-acts">
          <Button tone="main" busy={busy} onClick={() => void act(() => call('join', { room: roomId }))}>
            {t('rooms.accept')}
          </Button>
          <Button
            busy={busy}
            onClick={() =>
              void act(async () => {
                await call('leave', roomId)
                go({ view: 'start' })
              })
            }
          >
            {t('rooms.decline')}
          </Button>
          <Button tone="quiet" busy={busy} onClick={() => void act(block)}>
            {t('rooms.declineAndBlock', { name: plainName(invite.senderName, 30) ?? invite.sender })}
          </Button>
        </div>
      </div>
    </div>
  )
}
