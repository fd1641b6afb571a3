import { useState } from 'preact/hooks'
import { type Key, t } from '../../i18n/i18n.ts'
import type { WayIn } from '../../vault/vault.ts'
import { call, ownerState } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Failure } from '../parts/notice.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { NewPassphrase } from './new-passphrase.tsx'

const names = {
  passkey: 'settings.wayPasskey',
  'recovery-key': 'settings.wayRecovery',
  passphrase: 'settings.wayPassphrase',
} as const satisfies Record<WayIn['kind'], Key>

/** What opens the vault on this device. The worker keeps the last one from being taken away. */
export function WaysIn() {
  const [isSetting, setSetting] = useState(false)
  const { busy, error, act } = useAct()
  const waysIn = ownerState.value?.waysIn ?? []
  const passphrase = waysIn.find(({ kind }) => kind === 'passphrase')
  const set = (typed: string) =>
    act(async () => {
      ownerState.value = await call('setWayIn', { kind: 'passphrase', passphrase: typed })
      setSetting(false)
      toast(t('settings.saved'))
    })
  const remove = (id: string) =>
    act(async () => {
      ownerState.value = await call('removeWayIn', id)
    })
  return (
    <section>
      <h3>{t('settings.waysIn')}</h3>
      <ul>
        {waysIn.map(way => (
          <li key={way.id}>{t(names[way.kind])}</li>
        ))}
      </ul>
      <div class="settings-acts">
        <Button aria-expanded={isSetting} onClick={() => setSetting(!isSetting)}>
          {passphrase ? t('settings.changePassphrase') : t('settings.setPassphrase')}
        </Button>
        {passphrase && waysIn.length > 1 && (
          <Button tone="quiet" disabled={busy} onClick={() => remove(passphrase.id)}>
            {t('settings.removePassphrase')}
          </Button>
        )}
      </div>
      {isSetting && (
        <NewPassphrase label={t('settings.passphrase')} submit={t('parts.save')} busy={busy} onSubmit={set} />
      )}
      {error !== null && <Failure error={error} />}
    </section>
  )
}
