import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { Member, PersonTrust } from '../../worker/calls.ts'
import { call, onNotice } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { Skeleton } from '../parts/skeleton.tsx'
import { findingsOf } from './device-words.ts'

/** So many people are looked at unasked. In larger rooms a person says when. */
const unasked = 40
const atOnce = 8

type Looked = { readonly member: Member; readonly person: PersonTrust }

/** Devices that nobody confirmed, and identities that changed, among those who can read. */
export function DeviceFindings({
  readers,
  roomId,
  onSelect,
}: {
  readers: readonly Member[]
  roomId: string
  onSelect: (userId: string) => void
}) {
  const [wanted, setWanted] = useState<string | null>(null)
  const [looked, setLooked] = useState<readonly Looked[] | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [turn, setTurn] = useState(0)
  const isWanted = readers.length <= unasked || wanted === roomId
  const ids = readers.map(({ userId }) => userId).join(' ')
  useEffect(() => {
    if (!isWanted) return
    let gone = false
    lookAt(readers, () => gone).then(
      found => {
        if (!gone) setLooked(found)
      },
      failure => {
        if (!gone) setError(failure)
      },
    )
    const theirs = new Set(ids.split(' '))
    const stop = onNotice(notice => {
      if (notice.kind === 'person' && theirs.has(notice.userId)) setTurn(turn + 1)
    })
    return () => {
      gone = true
      stop()
    }
  }, [ids, isWanted, turn])
  return (
    <section aria-live="polite">
      <h3>{t('trust.unconfirmed')}</h3>
      {!isWanted && (
        <Button onClick={() => setWanted(roomId)}>
          {t('trust.unconfirmedLook', { count: readers.length })}
        </Button>
      )}
      {error !== null && <Failure error={error} onRetry={() => setTurn(turn + 1)} />}
      {isWanted && !looked && error === null && <Skeleton lines={2} />}
      {looked && <Found looked={looked} onSelect={onSelect} />}
    </section>
  )
}

function Found({ looked, onSelect }: { looked: readonly Looked[]; onSelect: (userId: string) => void }) {
  const { unconfirmed, changed } = findingsOf(looked)
  if (unconfirmed.length === 0 && changed.length === 0) return <p>{t('trust.unconfirmedNone')}</p>
  const line = (member: Member, text: string) => (
    <li key={`${member.userId} ${text}`}>
      <button type="button" class="trust-finding" onClick={() => onSelect(member.userId)}>
        {text}
      </button>
    </li>
  )
  const nameOf = (member: Member) => plainName(member.name) ?? member.userId
  return (
    <ul class="trust-findings">
      {changed.map(member => line(member, t('trust.changedOf', { name: nameOf(member) })))}
      {unconfirmed.map(({ member, devices }) =>
        line(member, t('trust.unconfirmedOf', { name: nameOf(member), count: devices })),
      )}
    </ul>
  )
}

async function lookAt(readers: readonly Member[], isGone: () => boolean): Promise<Looked[]> {
  const looked: Looked[] = []
  for (let i = 0; i < readers.length && !isGone(); i += atOnce) {
    const some = readers.slice(i, i + atOnce)
    const people = await Promise.all(some.map(({ userId }) => call('person', userId)))
    looked.push(...some.map((member, j) => ({ member, person: people[j]! })))
  }
  return looked
}
