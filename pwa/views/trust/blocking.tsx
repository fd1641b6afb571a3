import { useState } from 'preact/hooks'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'

/** Spec: client-server-api#mignored_user_list */
const type = 'm.ignored_user_list'

/** Nothing more from this person, and the way back. */
export function Blocking({ userId, name }: { userId: string; name: string }) {
  const [isAsking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  const ignored = useAsked(
    'ignored',
    async () => ignoredIn(await call('accountData', type)),
    notice => notice.kind === 'account-data' && notice.type === type,
  )
  const isBlocked = ignored.answer !== null && Object.hasOwn(ignored.answer, userId)
  const set = async (on: boolean) => {
    const { [userId]: _, ...others } = ignoredIn(await call('accountData', type))
    await call('setAccountData', {
      type,
      content: { ignored_users: on ? { ...others, [userId]: {} } : others },
    })
    ignored.again()
    setAsking(false)
  }
  if (ignored.answer === null) return null
  return (
    <section class="trust-end">
      {isBlocked && <p class="quiet">{t('trust.blocked')}</p>}
      {error !== null && !isAsking && <Failure error={error} />}
      {isBlocked ? (
        <Button busy={busy} onClick={() => act(() => set(false))}>
          {t('trust.unblock')}
        </Button>
      ) : (
        <Button tone="grave" onClick={() => setAsking(true)}>
          {t('trust.block')}
        </Button>
      )}
      {isAsking && (
        <Dialog title={t('trust.block')} onClose={() => setAsking(false)}>
          <p>{t('trust.blockText', { name })}</p>
          {error !== null && <Failure error={error} />}
          <Actions>
            <Button onClick={() => setAsking(false)}>{t('parts.cancel')}</Button>
            <Button tone="grave" busy={busy} onClick={() => act(() => set(true))}>
              {t('trust.block')}
            </Button>
          </Actions>
        </Dialog>
      )}
    </section>
  )
}

function ignoredIn(content: JsonObject | null): JsonObject {
  const users = content?.['ignored_users']
  return isObject(users) ? users : {}
}
