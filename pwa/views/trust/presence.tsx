import { useEffect, useState } from 'preact/hooks'
import { formatAgo, t } from '../../i18n/i18n.ts'
import { call, connection, ourUserId } from '../account.ts'
import { useAsked } from '../use-asked.ts'

const againMs = 60_000
/** A device says every half minute that somebody is there. */
const justNowMs = 60_000

/** "Online", or when somebody was: in words. Nothing where the server tells nothing, and of what it told before it was away. */
export function Presence({
  userId,
  before = '',
  after = '',
}: {
  userId: string
  before?: string
  after?: string
}) {
  const { answer } = useAsked(
    `presence ${userId}`,
    () => call('presence', userId),
    notice =>
      (notice.kind === 'presence' && notice.userIds.includes(userId)) ||
      (notice.kind === 'connection' && notice.connection.state === 'online'),
  )
  const [, setNow] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), againMs)
    return () => clearInterval(timer)
  }, [])
  if (!answer || userId === ourUserId.value || connection.value.state !== 'online') return null
  const words = presenceWords(answer)
  return words === null ? null : <span class="presence">{before + words + after}</span>
}

function presenceWords({ isOnline, lastActiveTs }: { isOnline: boolean; lastActiveTs: number | null }) {
  if (isOnline) return t('trust.online')
  if (lastActiveTs === null) return null
  return Date.now() - lastActiveTs < justNowMs
    ? t('trust.seenJustNow')
    : t('trust.seenAgo', { when: formatAgo(lastActiveTs) })
}
