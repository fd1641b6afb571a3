import './new-room.css'
import { useEffect, useRef } from 'preact/hooks'
import { type Key, t } from '../../i18n/i18n.ts'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { openDirect } from './direct.ts'
import { Directory } from './directory.tsx'
import { Page } from './page.tsx'
import { PeoplePicker } from './people-picker.tsx'
import { RoomForm } from './room-form.tsx'
import { Share } from './share.tsx'

const titles: Readonly<Record<string, Key>> = {
  message: 'rooms.newMessage',
  space: 'rooms.newSpace',
  join: 'rooms.directory',
  share: 'rooms.share',
}
const inSpacePrefix = 'room-in-'
const joinPrefix = 'join-'

/** Whoever comes here writes next: the button that led here would keep the focus. */
function useFirstField() {
  const form = useRef<HTMLDivElement>(null)
  useEffect(() => form.current?.querySelector('input')?.focus(), [])
  return form
}

/** `message`, `room`, `space`, `join`, `share`, `room-in-` and a space, or `join-` and the address of a room. */
export function NewRoom({ kind }: { kind: string }) {
  const form = useFirstField()
  const inSpace = kind.startsWith(inSpacePrefix) ? kind.slice(inSpacePrefix.length) : null
  if (kind.startsWith(joinPrefix)) {
    return (
      <Page title={t('rooms.directory')}>
        <Directory key={kind} address={kind.slice(joinPrefix.length)} />
      </Page>
    )
  }
  return (
    <Page title={t((Object.hasOwn(titles, kind) && titles[kind]) || 'rooms.newRoom')}>
      <div ref={form}>
        {kind === 'message' ? (
          <NewMessage />
        ) : kind === 'join' ? (
          <Directory />
        ) : kind === 'share' ? (
          <Share />
        ) : (
          <RoomForm key={kind} isSpace={kind === 'space'} inSpace={inSpace} />
        )}
      </div>
    </Page>
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
