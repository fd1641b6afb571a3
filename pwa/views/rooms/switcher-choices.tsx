import type { ComponentChildren } from 'preact'
import { formatWhen, manner, setManner, t } from '../../i18n/i18n.ts'
import type { FoundMessage, FoundPerson } from '../../worker/calls.ts'
import { call, ownerState, rooms, session } from '../account.ts'
import { Code, Name } from '../parts/name.tsx'
import { cut, plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { openDirect } from './direct.ts'
import { sections, shownRoom } from './list-state.ts'
import { nextUnread } from './sections.ts'
import { matchesWords, matchingRooms } from './switcher-state.ts'

/** What can be chosen in the quick switch. */
export interface Choice {
  readonly id: string
  readonly title: ComponentChildren
  readonly detail: ComponentChildren
  readonly choose: () => unknown
}

export interface ChoiceGroup {
  readonly kind: 'rooms' | 'people' | 'messages' | 'commands'
  readonly choices: readonly Choice[]
}

export interface Found {
  readonly people: readonly FoundPerson[]
  readonly messages: readonly FoundMessage[]
}

const shownRooms = 8

/** Only groups that have something. */
export function choicesOf(text: string, { people, messages }: Found): ChoiceGroup[] {
  const groups: ChoiceGroup[] = [
    { kind: 'rooms', choices: roomChoices(text) },
    { kind: 'people', choices: people.map(personChoice) },
    { kind: 'messages', choices: messages.map(messageChoice) },
    { kind: 'commands', choices: commands().filter(({ title }) => matchesWords(String(title), text)) },
  ]
  return groups.filter(({ choices }) => choices.length > 0)
}

function roomChoices(text: string): Choice[] {
  const known = [...(rooms.value?.values() ?? [])]
  const spaceOf = (roomId: string) => known.find(entry => entry.isSpace && entry.children.includes(roomId))
  return matchingRooms(known, text, shownRooms).map(entry => ({
    id: entry.roomId,
    title: <Name of={entry.name} fallback={t('rooms.emptyRoom')} />,
    detail: entry.isSpace ? (
      t('rooms.space')
    ) : (
      <Name of={spaceOf(entry.roomId)?.name} fallback="" limit={40} />
    ),
    choose: () => go({ view: 'room', roomId: entry.roomId }),
  }))
}

function personChoice({ userId, name }: FoundPerson): Choice {
  return {
    id: userId,
    title: <Name of={name} fallback={userId} />,
    detail: <Code>{userId}</Code>,
    choose: () => openDirect(userId),
  }
}

function messageChoice({ roomId, eventId, senderName, text, ts }: FoundMessage): Choice {
  return {
    id: eventId,
    title: <bdi>{cut(plainName(text, 200) ?? '', 100)}</bdi>,
    detail: (
      <>
        <Name of={senderName} limit={24} /> · <Name of={rooms.value?.get(roomId)?.name} limit={24} /> ·{' '}
        {formatWhen(ts)}
      </>
    ),
    choose: () => go({ view: 'room', roomId, eventId }),
  }
}

function commands(): Choice[] {
  const unread = nextUnread(sections.value, shownRoom.value, 1)
  const command = (title: string, choose: Choice['choose']): Choice => ({
    id: title,
    title,
    detail: '',
    choose,
  })
  return [
    command(t('rooms.newMessage'), () => go({ view: 'new', kind: 'message' })),
    command(t('rooms.newRoom'), () => go({ view: 'new', kind: 'room' })),
    command(t('rooms.newSpace'), () => go({ view: 'new', kind: 'space' })),
    command(t('rooms.directory'), () => go({ view: 'new', kind: 'join' })),
    command(t('rooms.searchAll'), () => go({ view: 'search' })),
    ...(unread ? [command(t('rooms.nextUnread'), () => go({ view: 'room', roomId: unread.roomId }))] : []),
    command(t('rooms.lightOrDark'), () => setManner({ theme: isDark() ? 'light' : 'dark' })),
    command(t('rooms.settings'), () => go({ view: 'settings', page: '' })),
    ...(session.value?.isAdministrator
      ? [command(t('rooms.administration'), () => go({ view: 'admin', page: '' }))]
      : []),
    command(t('rooms.help'), () => go({ view: 'help', page: '' })),
    ...(ownerState.value?.inMemory ? [] : [command(t('rooms.lock'), () => call('lock', null))]),
  ]
}

function isDark(): boolean {
  const { theme } = manner.peek()
  return theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
}
