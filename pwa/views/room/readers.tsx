import { formatList, t } from '../../i18n/i18n.ts'
import { nameIn, useGround } from './room-ground.ts'

const named = 3

/** Under the newest of our messages that was read: by whom. */
export function Readers({ rowKey, userIds }: { rowKey: string; userIds: readonly string[] }) {
  const ground = useGround()
  const names = userIds.slice(0, named).map(userId => nameIn(ground, userId))
  const others = userIds.length - named
  if (others > 0) names.push(t('room.others', { count: others }))
  return (
    <li class="readers" data-key={rowKey}>
      {t('room.readBy', { names: formatList(names) })}
    </li>
  )
}
