/**
 * A record of the vault is broken and must not read as absent: what it was, what is lost with it and what stays, and a
 * person's yes to go on without it. Loaded when there is one.
 */
import { useState } from 'preact/hooks'
import { addTexts, type Key, parts, t } from '../i18n/i18n.ts'
import { seldomTexts } from '../i18n/seldom.ts'
import { type Damaged, isDevice, isInTheWay } from '../worker/damaged.ts'
import { call, ourUserId, ownerState, readAccount, rooms } from './account.ts'
import { entry } from './enter/flow.ts'
import { Button } from './parts/button.tsx'
import { Code, Name } from './parts/name.tsx'
import { Failure, Notice } from './parts/notice.tsx'
import { useAct } from './use-act.ts'

export async function loadDamage() {
  await addTexts(seldomTexts)
  return Damage
}

/** One at a time: the next one comes when this is decided. */
function Damage({ isTitled = false }: { isTitled?: boolean }) {
  const [first] = ownerState.value?.damaged ?? []
  return first ? <One key={`${first.store} ${first.id}`} damaged={first} isTitled={isTitled} /> : null
}

function One({ damaged, isTitled }: { damaged: Damaged; isTitled: boolean }) {
  const [isSure, setSure] = useState(false)
  const { busy, error, act } = useAct()
  const kind = kindOf(damaged)
  const giveUp = () =>
    act(async () => {
      const mustEnter = isInTheWay(damaged, ourUserId.peek())
      await call('giveUpRecord', damaged)
      if (!mustEnter) return
      await readAccount()
      await entry.goOn()
    })
  return (
    <Notice
      tone="bad"
      actions={
        isSure ? (
          <>
            <Button onClick={() => setSure(false)}>{t('parts.cancel')}</Button>
            <Button tone="grave" busy={busy} onClick={() => void giveUp()}>
              {t('damage.yes')}
            </Button>
          </>
        ) : (
          <Button onClick={() => setSure(true)}>{t('damage.goOn')}</Button>
        )
      }
    >
      {!isTitled && (
        <p>
          <strong>{t('damage.title')}</strong>
        </p>
      )}
      <p>{t('damage.lead')}</p>
      <p>{about(`damage.what_${kind}`, damaged)}</p>
      <ul>
        <li>{about(`damage.lost_${kind}`, damaged)}</li>
        <li>{about(`damage.stays_${kind}`, damaged)}</li>
      </ul>
      {isSure && <p>{t('damage.sure')}</p>}
      {error !== null && <Failure error={error} />}
    </Notice>
  )
}

function kindOf(damaged: Damaged): 'room' | 'person' | 'self' | 'key' | 'device' {
  if (isDevice(damaged)) return 'device'
  if (damaged.store === 'account') return 'key'
  if (damaged.store === 'room') return 'room'
  return personOf(damaged) === ourUserId.value ? 'self' : 'person'
}

function about(key: Key, damaged: Damaged) {
  const roomId = roomOf(damaged)
  return parts(key, {
    room: <Name of={rooms.value?.get(roomId)?.name ?? null} fallback={roomId} />,
    person: <Code>{personOf(damaged)}</Code>,
  })
}

/** Of the record of the room, of whom we let in, or of its having begun. */
function roomOf({ id }: Damaged): string {
  return /![^|]+/.exec(id)?.[0] ?? id
}

function personOf({ id }: Damaged): string {
  return /@.*/s.exec(id)?.[0] ?? id
}
