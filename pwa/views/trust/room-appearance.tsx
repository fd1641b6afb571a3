import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { PicturePicker } from '../picture-picker.tsx'
import { useAct } from '../use-act.ts'

/** Name, topic, picture: not encrypted, which is said. */
export function RoomAppearance({ detail }: { detail: RoomDetail }) {
  const { entry, may } = detail
  const { roomId } = entry
  const [name, setName] = useState(entry.name ?? '')
  const [topic, setTopic] = useState(entry.topic ?? '')
  const { busy, error, act } = useAct()
  const isChanged = name.trim() !== (entry.name ?? '') || topic.trim() !== (entry.topic ?? '')
  const save = async () => {
    const set = (type: string, content: Record<string, string>) =>
      call('setState', { roomId, type, stateKey: '', content })
    const done = await act(async () => {
      if (name.trim() !== (entry.name ?? '')) await set('m.room.name', { name: name.trim() })
      if (topic.trim() !== (entry.topic ?? '')) await set('m.room.topic', { topic: topic.trim() })
    })
    if (done) toast(t('trust.saved'))
  }
  return (
    <section>
      <div class="room-picture">
        <Avatar id={roomId} name={entry.name} avatar={entry.avatar} size="l" square />
        {may.rename && (
          <div>
            <PicturePicker
              has={entry.avatar !== null}
              onPick={image => call('setRoomAvatar', { roomId, image })}
            />
            <p class="field-hint">{t('trust.pictureHint')}</p>
          </div>
        )}
      </div>
      <Field
        label={t('trust.roomName')}
        value={name}
        maxLength={200}
        readOnly={!may.rename}
        onInput={event => setName(event.currentTarget.value)}
      />
      <Field
        label={t('trust.roomTopic')}
        hint={t('trust.roomTopicHint')}
        value={topic}
        maxLength={1000}
        readOnly={!may.rename}
        onInput={event => setTopic(event.currentTarget.value)}
      />
      {!may.rename && <p class="quiet">{t('trust.mayNotChange')}</p>}
      {error !== null && <Failure error={error} />}
      {may.rename && (
        <Button tone="main" busy={busy} disabled={!isChanged} onClick={save}>
          {t('parts.save')}
        </Button>
      )}
    </section>
  )
}
