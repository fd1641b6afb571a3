import './new-room.css'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { FoundPerson } from '../../worker/calls.ts'
import { call, ourUserId, rooms, session } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Choice, Field, Switch } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { openDirect } from './direct.ts'
import { BackToList } from './shell.tsx'

/** `message`, `room`, `space`, `join`, or `room-in-` and a space. */
export function NewRoom({ kind }: { kind: string }) {
  const inSpace = kind.startsWith('room-in-') ? kind.slice('room-in-'.length) : null
  const title =
    kind === 'message'
      ? t('rooms.newMessage')
      : kind === 'join'
        ? t('rooms.directory')
        : kind === 'space'
          ? t('rooms.newSpace')
          : t('rooms.newRoom')
  return (
    <div class="page">
      <header class="bar">
        <BackToList />
        <h1>{title}</h1>
      </header>
      <div class="page-body">
        {kind === 'message' ? (
          <NewMessage />
        ) : kind === 'join' ? (
          <Directory />
        ) : (
          <RoomForm isSpace={kind === 'space'} inSpace={inSpace} />
        )}
      </div>
    </div>
  )
}

function NewMessage() {
  const { busy, error, act } = useAct()
  return (
    <>
      <p class="lead">{t('rooms.newMessageLead')}</p>
      {error !== null && <Failure error={error} />}
      <PeoplePicker chosen={[]} onChoose={person => void act(() => openDirect(person.userId))} busy={busy} />
    </>
  )
}

type Access = 'invite' | 'knock' | 'restricted' | 'public'

function RoomForm({ isSpace, inSpace: given }: { isSpace: boolean; inSpace: string | null }) {
  const [name, setName] = useState('')
  const [topic, setTopic] = useState('')
  const [people, setPeople] = useState<readonly FoundPerson[]>([])
  const [access, setAccess] = useState<Access>('invite')
  const [encrypted, setEncrypted] = useState(true)
  const [isHistoryShared, setHistoryShared] = useState(true)
  const [inSpace, setInSpace] = useState(given ?? '')
  const { busy, error, act } = useAct()
  const spaces = [...(rooms.value?.values() ?? [])].filter(
    entry => entry.isSpace && entry.membership === 'join',
  )
  const spaceName = plainName(rooms.value?.get(inSpace)?.name, 60)
  const submit = (event: Event) => {
    event.preventDefault()
    void act(async () => {
      const roomId = await call('createRoom', {
        name: name.trim(),
        ...(topic.trim() !== '' && { topic: topic.trim() }),
        invite: people.map(({ userId }) => userId),
        isDirect: false,
        isSpace,
        encrypted: !isSpace && encrypted,
        joinRule: access === 'restricted' && inSpace === '' ? 'invite' : access,
        historyVisibility: isHistoryShared ? 'shared' : 'invited',
        ...(inSpace !== '' && { inSpace }),
      })
      go({ view: 'room', roomId })
    })
  }
  return (
    <form onSubmit={submit}>
      <Field
        label={t('rooms.name')}
        value={name}
        required
        maxLength={200}
        autoFocus
        onInput={event => setName(event.currentTarget.value)}
      />
      <Field
        label={t('rooms.topic')}
        value={topic}
        maxLength={500}
        onInput={event => setTopic(event.currentTarget.value)}
      />
      {spaces.length > 0 && (
        <label class="search-room">
          <span>{t('rooms.inSpace')}</span>
          <select value={inSpace} onChange={event => setInSpace(event.currentTarget.value)}>
            <option value="">{t('rooms.inNoSpace')}</option>
            {spaces.map(space => (
              <option key={space.roomId} value={space.roomId}>
                {plainName(space.name, 60)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Choice<Access>
        label={t('rooms.whoMayCome')}
        value={access}
        onChange={setAccess}
        options={[
          { value: 'invite', label: t('rooms.access_invite'), hint: t('rooms.access_inviteHint') },
          { value: 'knock', label: t('rooms.access_knock'), hint: t('rooms.access_knockHint') },
          ...(inSpace !== ''
            ? [
                {
                  value: 'restricted' as const,
                  label: t('rooms.access_restricted', { space: spaceName ?? '' }),
                  hint: t('rooms.access_restrictedHint'),
                },
              ]
            : []),
          { value: 'public', label: t('rooms.access_public'), hint: t('rooms.access_publicHint') },
        ]}
      />
      {!isSpace && (
        <>
          <Switch
            label={t('rooms.encrypted')}
            hint={encrypted ? t('rooms.encryptedHint') : t('rooms.notEncryptedHint')}
            checked={encrypted}
            onChange={setEncrypted}
          />
          <Switch
            label={t('rooms.historyShared')}
            hint={t('rooms.historySharedHint')}
            checked={isHistoryShared}
            onChange={setHistoryShared}
          />
        </>
      )}
      <h2 class="form-head">{t('rooms.whoIsIn')}</h2>
      <ul class="chosen">
        {people.map(person => (
          <li key={person.userId}>
            <Name of={person.name ?? person.userId} limit={40} />
            <Button tone="quiet" onClick={() => setPeople(people.filter(each => each !== person))}>
              {t('rooms.removePerson')}
            </Button>
          </li>
        ))}
      </ul>
      <PeoplePicker
        chosen={people.map(({ userId }) => userId)}
        onChoose={person => setPeople([...people, person])}
        busy={false}
      />
      <p class="who-reads">
        {encrypted || isSpace ? t('rooms.onlyThese', { count: people.length + 1 }) : t('rooms.serverReads')}
      </p>
      {error !== null && <Failure error={error} />}
      <div class="form-acts">
        <Button onClick={() => history.back()}>{t('parts.cancel')}</Button>
        <Button tone="main" type="submit" busy={busy} disabled={name.trim() === ''}>
          {isSpace ? t('rooms.createSpace') : t('rooms.createRoom')}
        </Button>
      </div>
    </form>
  )
}

/** People of this organisation by name, or anybody by their id. */
function PeoplePicker({
  chosen,
  onChoose,
  busy,
}: {
  chosen: readonly string[]
  onChoose: (person: FoundPerson) => void
  busy: boolean
}) {
  const [text, setText] = useState('')
  const [found, setFound] = useState<readonly FoundPerson[]>([])
  const [error, setError] = useState<unknown>(null)
  const typedId = /^@[^\s:]+:[^\s]+$/.test(text.trim()) ? text.trim() : null
  useEffect(() => {
    let gone = false
    const timer = setTimeout(() => {
      call('findPeople', text.trim()).then(
        people => {
          if (!gone) setFound(people)
          if (!gone) setError(null)
        },
        failure => {
          if (!gone) setError(failure)
        },
      )
    }, 150)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [text])
  const shown = [
    ...found,
    ...(typedId !== null && !found.some(({ userId }) => userId === typedId)
      ? [{ userId: typedId, name: null, avatar: null }]
      : []),
  ].filter(({ userId }) => userId !== ourUserId.value && !chosen.includes(userId))
  return (
    <div class="picker">
      <Field
        type="search"
        label={t('rooms.findPerson')}
        hint={t('rooms.findPersonHint', { server: session.value?.serverName ?? '' })}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      {error !== null && <Failure error={error} />}
      <ul class="picker-list">
        {shown.map(person => (
          <li key={person.userId}>
            <button type="button" disabled={busy} onClick={() => onChoose(person)}>
              <Avatar id={person.userId} name={person.name} avatar={person.avatar} />
              <span>
                <Name of={person.name ?? person.userId} />
                <Code>{person.userId}</Code>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Rooms that anybody of this server may find. */
function Directory() {
  const [text, setText] = useState('')
  const [address, setAddress] = useState('')
  const { busy, error, act } = useAct()
  const found = useAsked(`directory ${text}`, () => call('publicRooms', { text }))
  const join = (room: string) =>
    void act(async () => {
      const roomId = await call('join', { room })
      go({ view: 'room', roomId })
    })
  return (
    <>
      <Field
        type="search"
        label={t('rooms.findRoom')}
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      {found.error !== null && <Failure error={found.error} onRetry={found.again} />}
      {error !== null && <Failure error={error} />}
      <ul class="picker-list">
        {found.answer?.map(room => (
          <li key={room.roomId} class="directory-room">
            <span>
              <Name of={room.name} fallback={t('rooms.emptyRoom')} />
              <small>
                {t('rooms.people', { count: room.joinedCount })}
                {room.topic !== null && (
                  <>
                    {' · '}
                    <bdi>{plainName(room.topic, 120)}</bdi>
                  </>
                )}
              </small>
            </span>
            <Button busy={busy} onClick={() => join(room.roomId)}>
              {t('rooms.join')}
            </Button>
          </li>
        ))}
        {found.answer?.length === 0 && <li class="list-none">{t('rooms.directoryEmpty')}</li>}
      </ul>
      <form
        onSubmit={event => {
          event.preventDefault()
          join(address.trim())
        }}
      >
        <Field
          label={t('rooms.byAddress')}
          hint={t('rooms.byAddressHint')}
          value={address}
          dir="ltr"
          autoCapitalize="off"
          spellcheck={false}
          onInput={event => setAddress(event.currentTarget.value)}
        >
          <Button type="submit" busy={busy} disabled={!/^[#!]/.test(address.trim())}>
            {t('rooms.join')}
          </Button>
        </Field>
      </form>
    </>
  )
}
