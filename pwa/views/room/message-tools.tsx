import { t } from '../../i18n/i18n.ts'
import type { TimelineItem } from '../../sync/timeline-item.ts'
import { IconButton } from '../parts/button.tsx'
import { Menu } from '../parts/menu.tsx'
import { isSettled, menuOf, openThread } from './message-acts.ts'
import { useGround } from './room-ground.ts'

/** What can be done with the message that is pointed at, or has the focus. */
export function MessageTools({ item }: { item: TimelineItem }) {
  const ground = useGround()
  const mayWrite = ground.detail?.may.send ?? true
  const items = menuOf(item, ground)
  return (
    <div class="message-tools" role="toolbar" aria-label={t('room.tools')}>
      {isSettled(item) && mayWrite && (
        <>
          <IconButton
            icon="smile"
            label={t('room.react')}
            onClick={() => ground.ask({ kind: 'emoji', item })}
          />
          <IconButton icon="reply" label={t('room.reply')} onClick={() => ground.reply(item)} />
          {ground.threadRoot === null && (
            <IconButton icon="thread" label={t('room.inThread')} onClick={() => openThread(item)} />
          )}
        </>
      )}
      {items.length > 0 && <Menu label={t('parts.more')} items={items} />}
    </div>
  )
}
