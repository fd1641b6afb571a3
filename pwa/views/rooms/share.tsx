import { useState } from 'preact/hooks'
import { formatBytes, t } from '../../i18n/i18n.ts'
import type { RoomEntry } from '../../sync/room-entry.ts'
import { call, rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { toast } from '../parts/toast.tsx'
import { prepare } from '../room/upload-preparation.ts'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { type SharedIn, sharedIn, sharedText } from './shared-in.ts'
import { matchingRooms } from './switcher-state.ts'

const shownRooms = 8

/** What another app shared: where is it to go? */
export function Share() {
  const shared = sharedIn.value
  return shared ? <ShareForm shared={shared} /> : <Notice>{t('rooms.shareNothing')}</Notice>
}

function ShareForm({ shared }: { shared: SharedIn }) {
  const [text, setText] = useState(() => sharedText(shared))
  const [wanted, setWanted] = useState('')
  const [chosen, setChosen] = useState<RoomEntry | null>(null)
  const { busy, error, act } = useAct()
  const writable = [...(rooms.value?.values() ?? [])].filter(
    entry => entry.membership === 'join' && !entry.isSpace && entry.replacedBy === null,
  )
  const name = plainName(chosen?.name, 40) ?? t('rooms.emptyRoom')
  const send = ({ roomId }: RoomEntry) =>
    act(async () => {
      if (text.trim() !== '') {
        const content = { msgtype: 'm.text', body: text.trim(), 'm.mentions': {} }
        await call('send', { roomId, type: 'm.room.message', content })
      }
      for (const file of shared.files)
        await call('sendFile', { roomId, file, name: file.name, ...(await prepare(file)) })
      sharedIn.value = null
      toast(t('rooms.shareDone', { name }))
      go({ view: 'room', roomId }, { replace: true })
    })
  return (
    <>
      <p class="lead">{t('rooms.shareLead')}</p>
      <label class="labelled">
        <span>{t('rooms.shareText')}</span>
        <textarea rows={4} dir="auto" value={text} onInput={event => setText(event.currentTarget.value)} />
      </label>
      {shared.files.length > 0 && (
        <>
          <h2 class="form-head">{t('rooms.shareFiles')}</h2>
          <ul class="chosen">
            {shared.files.map((file, i) => (
              <li key={i}>
                <Name of={file.name} limit={60} /> <small>{formatBytes(file.size)}</small>
              </li>
            ))}
          </ul>
        </>
      )}
      <Field
        type="search"
        label={t('rooms.shareTo')}
        value={wanted}
        onInput={event => setWanted(event.currentTarget.value)}
      />
      <ul class="picker-list">
        {matchingRooms(writable, wanted, shownRooms).map(entry => (
          <li key={entry.roomId}>
            <button
              type="button"
              aria-pressed={chosen?.roomId === entry.roomId}
              onClick={() => setChosen(entry)}
            >
              <Name of={entry.name} fallback={t('rooms.emptyRoom')} />
            </button>
          </li>
        ))}
      </ul>
      {error !== null && <Failure error={error} />}
      <div class="form-acts">
        <Button onClick={() => go({ view: 'start' })}>{t('parts.cancel')}</Button>
        {chosen && (
          <Button
            tone="main"
            busy={busy}
            disabled={text.trim() === '' && shared.files.length === 0}
            onClick={() => void send(chosen)}
          >
            {t('rooms.shareSend', { name })}
          </Button>
        )}
      </div>
    </>
  )
}
