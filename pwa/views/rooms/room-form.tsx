import { useState } from 'preact/hooks'
import { formatList, t } from '../../i18n/i18n.ts'
import type { FoundPerson } from '../../worker/calls.ts'
import { call, ourUserId, rooms } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Choice, Field, Switch } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { toast } from '../parts/toast.tsx'
import { go } from '../route.ts'
import { serverOfUser } from '../trust/organisations.ts'
import { useAct } from '../use-act.ts'
import { ChosenPeople } from './chosen-people.tsx'
import { type Access, readersOf } from './readers-of.ts'

/** A room or a space to be made, with clear words on who will be able to read. */
export function RoomForm({ isSpace, inSpace: given }: { isSpace: boolean; inSpace: string | null }) {
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
  const spaceName =
    inSpace === '' ? null : (plainName(rooms.value?.get(inSpace)?.name, 60) ?? t('rooms.space'))
  const joinRule = access === 'restricted' && inSpace === '' ? 'invite' : access
  const reads = readersOf({
    access: joinRule,
    encrypted,
    isSpace,
    invited: people.length,
    servers: [...new Set([ourUserId.value, ...people.map(({ userId }) => userId)].map(serverOfUser))],
    spaceName,
  })
  const submit = (event: Event) => {
    event.preventDefault()
    void act(async () => {
      const roomId = await call('createRoom', {
        name: name.trim(),
        ...(topic.trim() !== '' && { topic: topic.trim() }),
        invite: [],
        isDirect: false,
        isSpace,
        encrypted: !isSpace && encrypted,
        joinRule,
        historyVisibility: isHistoryShared ? 'shared' : 'invited',
        ...(inSpace !== '' && { inSpace }),
      })
      go({ view: 'room', roomId })
      await inviteAll(roomId, people)
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
        <label class="labelled">
          <span>{t('rooms.inSpace')}</span>
          <select value={inSpace} onChange={event => setInSpace(event.currentTarget.value)}>
            <option value="">{t('rooms.inNoSpace')}</option>
            {spaces.map(space => (
              <option key={space.roomId} value={space.roomId}>
                {plainName(space.name, 60) ?? t('rooms.space')}
              </option>
            ))}
          </select>
        </label>
      )}
      <Choice<Access>
        label={t('rooms.whoMayCome')}
        value={joinRule}
        onChange={setAccess}
        options={[
          { value: 'invite', label: t('rooms.access_invite'), hint: t('rooms.access_inviteHint') },
          { value: 'knock', label: t('rooms.access_knock'), hint: t('rooms.access_knockHint') },
          ...(inSpace !== ''
            ? [
                {
                  value: 'restricted' as const,
                  label: t('rooms.access_restricted', { space: spaceName ?? t('rooms.space') }),
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
      <ChosenPeople people={people} onChange={setPeople} />
      <p class="who-reads" aria-live="polite">
        {reads.map(([key, values]) => t(key, values)).join(' ')}
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

/** The room is there by then: who cannot be invited is named, and can be invited again from it. */
async function inviteAll(roomId: string, people: readonly FoundPerson[]): Promise<void> {
  const missed: string[] = []
  for (const { userId, name } of people) {
    try {
      await call('invite', { roomId, userId })
    } catch {
      missed.push(plainName(name, 40) ?? userId)
    }
  }
  if (missed.length > 0) toast(t('rooms.notInvited', { names: formatList(missed) }))
}
