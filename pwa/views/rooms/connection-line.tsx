import { formatWhen, t } from '../../i18n/i18n.ts'
import { call, connection, ownerState, rooms, sessionEnded } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { errorText } from '../parts/notice.tsx'

/** At the foot of the list: whether the server is there, and what waits. Says nothing where all is well. */
export function ConnectionLine() {
  const { state, code, lastTs, firstSyncDone } = connection.value
  const waiting = [...(rooms.value?.values() ?? [])].reduce((sum, entry) => sum + entry.waiting, 0)
  if (ownerState.value?.full) {
    return (
      <div class="line bad" role="alert">
        <span class="dot" />
        <span>{t('rooms.full')}</span>
        <Button tone="quiet" onClick={() => void call('resume', null)}>
          {t('parts.retry')}
        </Button>
      </div>
    )
  }
  // What there is to do about it stands above, with more words.
  if (sessionEnded.value === 'expired') return null
  if (state === 'online') {
    return ownerState.value?.inMemory ? (
      <div class="line">
        <span>{t('rooms.sharedComputer')}</span>
      </div>
    ) : null
  }
  return (
    <div class={state === 'offline' ? 'line warn' : 'line'} role="status">
      <span class="dot" />
      <span>
        {state === 'connecting'
          ? firstSyncDone
            ? t('rooms.connecting')
            : t('rooms.firstSync')
          : code === null
            ? t('rooms.offline')
            : errorText({ code })}{' '}
        {waiting > 0 && t('rooms.offlineWaiting', { count: waiting })}
        {state === 'offline' &&
          waiting === 0 &&
          lastTs > 0 &&
          t('rooms.lastContact', { when: formatWhen(lastTs) })}
      </span>
      {state === 'offline' && (
        <Button tone="quiet" onClick={() => void call('reconnect', null)}>
          {t('parts.retry')}
        </Button>
      )}
    </div>
  )
}
