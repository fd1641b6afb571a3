import { formatDateTime, t } from '../../i18n/i18n.ts'
import { call, session } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Notice } from '../parts/notice.tsx'
import { go } from '../route.ts'
import { useAsked } from '../use-asked.ts'
import { newNotices, noticesType, type ServerNotice } from './server-notices.ts'

const store = 'setting'
const id = 'server-notices-seen'

/** What our server tells an administrator, or the sponsor of an external person, until they say that they saw it. */
export function ServerNotices() {
  const asked = useAsked(
    'server-notices',
    async () => {
      const [content, [seen]] = await Promise.all([
        call('accountData', noticesType),
        call('read', { store, ids: [id] }),
      ])
      return newNotices(content, Number((seen as { ts?: unknown } | null | undefined)?.ts ?? 0))
    },
    notice => notice.kind === 'account-data' && notice.type === noticesType,
  )
  const { notices = [], lastTs = 0 } = asked.answer ?? {}
  if (notices.length === 0) return null
  const seen = async () => {
    await call('write', [{ collection: store, id, value: { ts: lastTs } }])
    asked.again()
  }
  const isUrgent = notices.some(({ name }) => name === 'alarm' || name === 'peerConflict')
  return (
    <Notice
      tone={isUrgent ? 'bad' : 'warn'}
      actions={
        <>
          {session.value?.isAdministrator && (
            <Button onClick={() => go({ view: 'admin', page: '' })}>{t('rooms.administration')}</Button>
          )}
          <Button tone="quiet" onClick={() => void seen()}>
            {t('notices.seen')}
          </Button>
        </>
      }
    >
      {notices.map(notice => (
        <p key={`${notice.action} ${notice.target} ${notice.expiresTs ?? ''}`}>{textOf(notice)}</p>
      ))}
    </Notice>
  )
}

function textOf({ name, target, expiresTs, action }: ServerNotice): string {
  const date = expiresTs === undefined ? '…' : formatDateTime(expiresTs)
  return t(`notices.${name}`, { target, date, action })
}
