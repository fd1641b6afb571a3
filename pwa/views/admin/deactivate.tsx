import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Choice, Switch } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import type { PersonAnswer } from './answers.ts'
import { act, inPath, useAdmin } from './ask.ts'
import type { ActProps } from './person-acts.tsx'
import { PersonSelect } from './person-select.tsx'

interface SoleRoom {
  readonly room_id: string
  readonly name: string | null
  readonly members: number
}

/** The end of an account; first, who takes over the rooms in which nobody else has power. */
export function Deactivate({ person, onClose, ...props }: ActProps) {
  const asked = useAdmin<{ rooms: SoleRoom[] }>(`/people/${inPath(person.user_id)}/deactivation`)
  const [what, setWhat] = useState<'pass-on' | 'leave'>('pass-on')
  const [successor, setSuccessor] = useState<PersonAnswer | null>(null)
  const [erase, setErase] = useState(false)
  const rooms = asked.answer?.rooms ?? []
  const isDecided = asked.answer !== null && (rooms.length === 0 || what === 'leave' || successor !== null)
  return (
    <ActDialog
      title={t('people.deactivate')}
      confirm={t('people.deactivate')}
      grave
      disabled={!isDecided}
      onDo={() =>
        act('POST', `/people/${inPath(person.user_id)}/deactivate`, {
          version: person.version,
          erase,
          ...(rooms.length > 0 && what === 'leave' && { leave_rooms_without_power: true }),
          ...(rooms.length > 0 && what === 'pass-on' && { successor: successor!.user_id }),
        })
      }
      onClose={onClose}
      {...props}
    >
      <p>{t('people.deactivateFor', { who: person.user_id })}</p>
      <p>{t('people.deactivateMeans')}</p>
      {asked.error !== null && <AdminFailure error={asked.error} onRetry={asked.again} />}
      {!asked.answer && asked.error === null && <Skeleton lines={2} />}
      {rooms.length > 0 && (
        <>
          <Notice tone="warn">
            <p>{t('people.soleRooms', { count: rooms.length })}</p>
            <ul>
              {rooms.map(room => (
                <li key={room.room_id}>
                  <Name of={room.name} fallback={t('site.unnamedRoom')} /> ·{' '}
                  {t('site.members', { count: room.members })}
                </li>
              ))}
            </ul>
          </Notice>
          <Choice
            label={t('people.soleRoomsWhat')}
            value={what}
            options={[
              { value: 'pass-on', label: t('people.passOn'), hint: t('people.passOnHint') },
              { value: 'leave', label: t('people.leaveOrphaned'), hint: t('people.leaveOrphanedHint') },
            ]}
            onChange={setWhat}
          />
          {what === 'pass-on' && (
            <PersonSelect
              label={t('people.successor')}
              chosen={successor}
              onChoose={setSuccessor}
              without={({ user_id: userId, kind }) => userId === person.user_id || kind === 'external'}
            />
          )}
        </>
      )}
      <Switch label={t('people.erase')} hint={t('people.eraseHint')} checked={erase} onChange={setErase} />
    </ActDialog>
  )
}
