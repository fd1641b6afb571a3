import './trust.css'
import { t } from '../../i18n/i18n.ts'
import type { Member, PersonTrust } from '../../worker/calls.ts'
import { call, ourUserId } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { Skeleton } from '../parts/skeleton.tsx'
import { go } from '../route.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { Blocking } from './blocking.tsx'
import { DeviceList } from './device-list.tsx'
import { isBlocking } from './device-words.ts'
import { IdentityDecision } from './identity-decision.tsx'
import { serverOfUser } from './organisations.ts'
import { PersonInRoom } from './person-in-room.tsx'
import { Presence } from './presence.tsx'
import { askToVerify, chatWith, roomToVerifyIn } from './verifications.ts'

/** Who somebody is, how that is known, their devices; in a room also what they may do there. */
export function Person({ userId, roomId }: { userId: string; roomId?: string }) {
  const isUs = userId === ourUserId.value
  const profile = useAsked(`profile ${userId}`, () => call('profile', userId))
  const trust = useAsked(
    `person ${userId}`,
    () => call('person', userId),
    notice => notice.kind === 'person' && notice.userId === userId,
  )
  const member = useAsked(
    `member ${roomId ?? ''} ${userId}`,
    async () =>
      roomId === undefined
        ? null
        : ((await call('members', roomId)).find(each => each.userId === userId) ?? null),
    notice => notice.kind === 'members' && notice.roomId === roomId,
  )
  const theName = profile.answer?.name ?? member.answer?.name ?? null
  const name = plainName(theName) ?? userId
  return (
    <div class="trust-body person">
      <header class="person-head">
        <Avatar id={userId} name={theName} avatar={profile.answer?.avatar ?? null} size="l" />
        <div>
          <h2>
            <Name of={theName} fallback={userId} />
          </h2>
          <Code>{userId}</Code>
          <p class="quiet">
            {isUs ? t('trust.thisIsYou') : <Belonging userId={userId} member={member.answer} />}
            <Presence userId={userId} before=" · " />
          </p>
        </div>
      </header>
      {!isUs && <Write userId={userId} />}
      {trust.error !== null && <Failure error={trust.error} onRetry={trust.again} />}
      {trust.answer ? (
        <Standing person={trust.answer} name={name} isUs={isUs} />
      ) : (
        trust.error === null && <Skeleton lines={4} />
      )}
      {isUs && (
        <Button onClick={() => go({ view: 'settings', page: 'devices' })}>{t('trust.yourDevices')}</Button>
      )}
      {roomId !== undefined && member.answer && (
        <PersonInRoom roomId={roomId} member={member.answer} name={name} />
      )}
      {trust.answer && <DeviceList devices={trust.answer.devices} isMine={isUs} />}
      {!isUs && <Blocking userId={userId} name={name} />}
    </div>
  )
}

function Belonging({ userId, member }: { userId: string; member: Member | null }) {
  const server = serverOfUser(userId)
  if (server !== serverOfUser(ourUserId.value)) return t('trust.ofOther', { server })
  return member?.external ? t('trust.guest') : t('trust.ofOurs')
}

function Write({ userId }: { userId: string }) {
  const { busy, error, act } = useAct()
  const write = async () => go({ view: 'room', roomId: await chatWith(userId) })
  return (
    <div>
      <Button busy={busy} onClick={() => act(write)}>
        {t('trust.message')}
      </Button>
      {error !== null && <Failure error={error} />}
    </div>
  )
}

const words = {
  none: 'trust.standingNone',
  pinned: 'trust.standingPinned',
  verified: 'trust.standingVerified',
  changed: 'trust.standingChanged',
  'verification-lost': 'trust.standingLost',
} as const

function Standing({ person, name, isUs }: { person: PersonTrust; name: string; isUs: boolean }) {
  const { userId, standing, fingerprint } = person
  const { busy, error, act } = useAct()
  const verify = async () => askToVerify({ userId, roomId: await roomToVerifyIn(userId) })
  const key = Object.hasOwn(words, standing) ? words[standing as keyof typeof words] : words.none
  return (
    <section>
      <h3>{t('trust.standing')}</h3>
      {!isUs && <p class={standing === 'verified' ? 'trust-good' : undefined}>{t(key, { name })}</p>}
      {!isUs && isBlocking(standing) && (
        <IdentityDecision userId={userId} name={name} isLost={standing === 'verification-lost'} />
      )}
      {!isUs && standing === 'pinned' && (
        <>
          <p class="quiet">{t('trust.verifyHint')}</p>
          <Button tone="main" busy={busy} onClick={() => act(verify)}>
            {t('trust.verifyPerson', { name })}
          </Button>
        </>
      )}
      {error !== null && <Failure error={error} />}
      <details class="trust-fingerprint">
        <summary>{t('trust.fingerprint')}</summary>
        {fingerprint === null ? <p>{t('trust.noFingerprint')}</p> : <Code block>{fingerprint}</Code>}
      </details>
    </section>
  )
}
