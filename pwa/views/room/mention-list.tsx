import { t } from '../../i18n/i18n.ts'
import type { Member } from '../../worker/calls.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Name } from '../parts/name.tsx'
import { roomMention } from './mention-query.ts'

export function mentionOptionId(index: number): string {
  return `mention-${index}`
}

/** Names for what is being typed after `@`. The field keeps the focus. */
export function MentionList({
  offered,
  chosen,
  onChoose,
}: {
  offered: readonly (Member | 'room')[]
  chosen: number
  onChoose: (whom: Member | 'room') => void
}) {
  return (
    <div class="mention-list" id="mention-list" role="listbox" aria-label={t('room.mentionPeople')}>
      {offered.map((whom, i) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and names the active option
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
        <div
          key={whom === 'room' ? roomMention : whom.userId}
          id={mentionOptionId(i)}
          role="option"
          aria-selected={i === chosen}
          onMouseDown={event => event.preventDefault()}
          onClick={() => onChoose(whom)}
        >
          {whom === 'room' ? (
            <>
              <strong>{t('room.mentionRoom')}</strong>
              <small>{t('room.mentionRoomHint')}</small>
            </>
          ) : (
            <>
              <Avatar id={whom.userId} name={whom.name} avatar={whom.avatar} size="s" />
              <Name of={whom.name} fallback={whom.userId} limit={60} />
              <small dir="ltr">{whom.userId}</small>
            </>
          )}
        </div>
      ))}
    </div>
  )
}
