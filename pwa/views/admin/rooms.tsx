import { useState } from 'preact/hooks'
import { formatDateTime, formatNumber, parts, t } from '../../i18n/i18n.ts'
import { session } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Field } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { useSettled } from '../rooms/use-settled.ts'
import { addressOf } from '../route.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import type { PersonAnswer, RoomAnswer } from './answers.ts'
import { act, inPath, useAdmin, usePages, withQuery } from './ask.ts'
import { Fact, Facts, Select, Tag } from './facts.tsx'
import { PersonSelect } from './person-select.tsx'

const shownRooms = ['all', 'nobody', 'elsewhere', 'frozen'] as const
type Shown = (typeof shownRooms)[number]

/** Rooms and spaces, or one of them. Never what is said there. */
export function Rooms({ of }: { of?: string }) {
  return of === undefined ? <RoomsList /> : <OneRoom roomId={of} />
}

function RoomsList() {
  const [text, setText] = useState('')
  const [shown, setShown] = useState<Shown>('all')
  const search = useSettled(text.trim())
  const power = shown === 'nobody' || shown === 'elsewhere' ? shown : ''
  const state = shown === 'frozen' ? shown : ''
  const rooms = usePages<RoomAnswer>(withQuery('/rooms', { limit: 50, search, power, state }), 'rooms')
  const conversations = Number(rooms.first?.['conversations'] ?? 0)
  const isFiltered = search !== '' || shown !== 'all'
  return (
    <>
      <p class="quiet">{t('site.roomsText')}</p>
      <search class="admin-filters">
        <Field
          type="search"
          label={t('site.searchRooms')}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
        <Select
          label={t('site.roomState')}
          value={shown}
          options={shownRooms.map(each => [each, t(`site.rooms_${each}`)] as const)}
          onChange={setShown}
        />
      </search>
      {rooms.error !== null && <AdminFailure error={rooms.error} onRetry={rooms.again} />}
      {!rooms.items && rooms.error === null && <Skeleton lines={8} />}
      {rooms.items?.length === 0 && (
        <Empty title={t('site.noRooms')}>
          <p>{isFiltered ? t('site.noRoomsFiltered') : t('site.noRoomsText')}</p>
        </Empty>
      )}
      {rooms.items && rooms.items.length > 0 && (
        <ul class="admin-rows">
          {rooms.items.map(room => (
            <li key={room.room_id}>
              <a href={addressOf({ view: 'admin', page: 'rooms', of: room.room_id })}>
                <span class="admin-row-name">
                  <Name of={room.name} fallback={t('site.unnamedRoom')} limit={80} />
                  <small>
                    {t('site.members', { count: room.joined })}
                    {room.servers.length > 1 && ` · ${t('site.servers', { count: room.servers.length })}`}
                  </small>
                </span>
                <RoomTags room={room} />
              </a>
            </li>
          ))}
        </ul>
      )}
      {rooms.hasMore && <Button onClick={rooms.more}>{t('people.more')}</Button>}
      {conversations > 0 && <p class="quiet">{t('site.conversations', { count: conversations })}</p>}
    </>
  )
}

function RoomTags({ room }: { room: RoomAnswer }) {
  return (
    <span class="admin-tags">
      {room.space && <Tag>{t('site.space')}</Tag>}
      {!room.encrypted && !room.space && <Tag>{t('site.unencrypted')}</Tag>}
      {room.power === 'nobody' && <Tag tone="warn">{t('site.rooms_nobody')}</Tag>}
      {room.power === 'elsewhere' && <Tag>{t('site.rooms_elsewhere')}</Tag>}
      {room.frozen && <Tag tone="bad">{t('site.rooms_frozen')}</Tag>}
    </span>
  )
}

function OneRoom({ roomId }: { roomId: string }) {
  const asked = useAdmin<RoomAnswer>(`/rooms/${inPath(roomId)}`)
  const [isGiving, setGiving] = useState(false)
  const room = asked.answer
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!room) return <Skeleton lines={8} />
  const ours = session.value?.serverName ?? ''
  const { frozen, way_back: wayBack } = room
  return (
    <>
      <div class="admin-head">
        <h3>
          <Name of={room.name} fallback={t('site.unnamedRoom')} limit={120} />
        </h3>
        <RoomTags room={room} />
      </div>
      {frozen && (
        <Notice
          tone="bad"
          actions={
            <a class="button" href={addressOf({ view: 'admin', page: 'peers' })}>
              {t('site.toPeers')}
            </a>
          }
        >
          <p>
            {parts('site.frozenText', {
              server: <Code>{frozen.server}</Code>,
              who: <Code>{frozen.by}</Code>,
              date: formatDateTime(frozen.since_ts),
            })}
          </p>
          <p>{t('site.frozenDo')}</p>
        </Notice>
      )}
      {wayBack && (
        <Notice
          tone="warn"
          actions={
            wayBack.through !== null && <Button onClick={() => setGiving(true)}>{t('site.giveBack')}</Button>
          }
        >
          <p>{t('site.orphanText')}</p>
          {wayBack.through !== null && (
            <p>{parts('site.orphanThrough', { who: <Code>{wayBack.through}</Code> })}</p>
          )}
          {wayBack.ask.length > 0 && (
            <p>
              {t('site.orphanAsk')} {wayBack.ask.map(who => [<Code key={who}>{who}</Code>, ' '])}
            </p>
          )}
          {wayBack.through === null && wayBack.ask.length === 0 && <p>{t('site.orphanNoWay')}</p>}
        </Notice>
      )}
      <Facts>
        <Fact name={t('site.people')}>{formatNumber(room.joined)}</Fact>
        {room.invited > 0 && <Fact name={t('site.invited')}>{formatNumber(room.invited)}</Fact>}
        <Fact name={t('site.encryption')}>{t(room.encrypted ? 'parts.yes' : 'parts.no')}</Fact>
        <Fact name={t('site.roomVersion')}>{room.version}</Fact>
        <Fact name={t('site.roomId')}>
          <Code>{room.room_id}</Code>
        </Fact>
      </Facts>
      <h3>{t('site.byOrganisation')}</h3>
      <ul class="admin-plain">
        {room.servers.map(({ server, joined }) => (
          <li key={server}>
            <Code>{server}</Code> {server === ours && `(${t('site.ours')}) `}·{' '}
            {t('site.members', { count: joined })}
          </li>
        ))}
      </ul>
      <h3>{t('site.power')}</h3>
      {room.powerful.length === 0 && <p>{t('site.rooms_nobody')}</p>}
      <ul class="admin-plain">
        {room.powerful.map(({ user_id: userId, level }) => (
          <li key={userId}>
            {userId.endsWith(`:${ours}`) ? (
              <a href={addressOf({ view: 'admin', page: 'people', of: userId })}>
                <Code>{userId}</Code>
              </a>
            ) : (
              <Code>{userId}</Code>
            )}{' '}
            · {level === null ? t('site.creator') : formatNumber(level)}
          </li>
        ))}
      </ul>
      {isGiving && (
        <GiveBack
          room={room}
          onDone={() => {
            setGiving(false)
            toast(t('site.givenBack'))
            asked.again()
          }}
          onChanged={() => {
            setGiving(false)
            asked.again()
          }}
          onClose={() => setGiving(false)}
        />
      )}
    </>
  )
}

function GiveBack({
  room,
  ...props
}: {
  room: RoomAnswer
  onDone: () => void
  onChanged: () => void
  onClose: () => void
}) {
  const [person, setPerson] = useState<PersonAnswer | null>(null)
  return (
    <ActDialog
      title={t('site.giveBack')}
      confirm={t('site.giveBack')}
      disabled={person === null}
      onDo={() => act('POST', `/rooms/${inPath(room.room_id)}/power`, { user_id: person!.user_id })}
      {...props}
    >
      <p>{t('site.giveBackText', { who: room.way_back?.through ?? '' })}</p>
      <PersonSelect
        label={t('site.giveTo')}
        hint={t('site.giveToHint')}
        chosen={person}
        onChoose={setPerson}
        without={({ kind }) => kind === 'external'}
      />
    </ActDialog>
  )
}
