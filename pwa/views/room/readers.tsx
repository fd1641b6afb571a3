import { formatList, t } from '../../i18n/i18n.ts'
import { nameIn, useGround } from './room-ground.ts'

const named = 3

/** Under the newest of our messages that was read: by whom. */
export function Readers({ rowKey, userIds }: { rowKey: string; userIds: readonly string[] }) {
  const ground = useGround()
  const names = formatList(userIds.slice(0, named).map(userId => nameIn(ground, userId)))
  const others = userIds.length - named
  return (
    <li class="readers" data-key={rowKey}>
      {others > 0 ? t('room.readByMany', { names, count: others }) : t('room.readBy', { names })}
    </li>
  )
}
