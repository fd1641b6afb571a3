import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import type { SignedIn } from './server.ts'

/** As vault-key.ts asks for. */
const shortest = 10

/** The passkey signs in and cannot open what is stored here: a passphrase of this device does. */
export function PassphraseView({ signedIn }: { signedIn: SignedIn }) {
  const [first, setFirst] = useState('')
  const [second, setSecond] = useState('')
  const [isTried, setTried] = useState(false)
  const { busy, error, act } = useAct()
  const isShort = [...first].length < shortest
  const submit = (event: Event) => {
    event.preventDefault()
    setTried(true)
    if (!isShort && first === second) void act(() => entry.choosePassphrase(signedIn, first))
  }
  return (
    <Page title={t('enter.passphraseTitle')} lead={t('enter.passphraseLead')}>
      {error !== null && <Failure error={error} />}
      <form onSubmit={submit}>
        <Field
          type="password"
          label={t('enter.passphrase')}
          hint={t('enter.passphraseHint', { count: shortest })}
          autoComplete="new-password"
          value={first}
          onInput={event => setFirst(event.currentTarget.value)}
          error={isTried && isShort ? t('enter.passphraseShort', { count: shortest }) : null}
        />
        <Field
          type="password"
          label={t('enter.passphraseAgain')}
          autoComplete="new-password"
          value={second}
          onInput={event => setSecond(event.currentTarget.value)}
          error={isTried && !isShort && first !== second ? t('enter.passphraseDiffers') : null}
        />
        <div class="enter-acts">
          <Button tone="main" type="submit" busy={busy}>
            {t('parts.next')}
          </Button>
        </div>
      </form>
    </Page>
  )
}
