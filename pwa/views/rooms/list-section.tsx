import { t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { Icon } from '../parts/icon.tsx'
import { Name } from '../parts/name.tsx'
import { addressOf } from '../route.ts'
import { closed, lineInFocus, tabStop, toggle } from './list-state.ts'
import { RoomLine, shortCount } from './room-line.tsx'
import { isUnread, type Section } from './sections.ts'

/** A part of the list under its heading, which closes it. A space's heading leads to the space as well. */
export function ListSection({ section }: { section: Section }) {
  const { id, kind, space, depth, rooms: shown } = section
  const isOpen = !closed.value.has(id)
  const stop = tabStop.value
  return (
    <section
      class={`section depth-${depth}`}
      onFocusIn={event => {
        lineInFocus.value = (event.target as HTMLElement).dataset['stop'] ?? null
      }}
    >
      <div class="section-line">
        <h2>
          <button
            type="button"
            class="section-head"
            aria-expanded={isOpen}
            data-stop={`section ${id}`}
            tabIndex={stop === `section ${id}` ? 0 : -1}
            onClick={() => toggle(id)}
          >
            {space ? (
              <Name of={space.name} fallback={t('rooms.space')} />
            ) : (
              t(`rooms.section_${kind as Exclude<Section['kind'], 'space'>}`)
            )}
            {!isOpen && <Icon name="forward" size={12} />}
            {!isOpen && <Hidden rooms={shown} />}
          </button>
        </h2>
        {space && (
          <a
            class="section-open"
            href={addressOf({ view: 'room', roomId: space.roomId })}
            data-stop={`space ${id}`}
            tabIndex={-1}
          >
            {t('rooms.spaceGo')}
            <span class="spoken">
              <Name of={space.name} />
            </span>
          </a>
        )}
      </div>
      {isOpen && (
        <ul>
          {shown.map(entry => (
            <li key={entry.roomId}>
              <RoomLine entry={entry} tabIndex={stop === entry.roomId ? 0 : -1} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** What a closed section hides must still be seen. */
function Hidden({ rooms: hidden }: { rooms: readonly RoomEntry[] }) {
  const mentions = hidden.reduce((sum, entry) => sum + entry.mentions, 0)
  const unread = hidden.filter(isUnread).length
  if (mentions === 0 && unread === 0) return null
  return (
    <span class={mentions > 0 ? 'count' : 'count quiet'}>
      <span aria-hidden="true">{shortCount(mentions > 0 ? mentions : unread)}</span>
      <span class="spoken">
        {mentions > 0
          ? t('rooms.mentionCount', { count: mentions })
          : t('rooms.startUnread', { count: unread })}
      </span>
    </span>
  )
}
