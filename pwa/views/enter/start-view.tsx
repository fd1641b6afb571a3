import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field, Switch } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { become, openInvitation, signInWithPasskey } from './flow.ts'
import { arrivalIn } from './link.ts'

/** Nobody is signed in here: a passkey, or a link or code. */
export function StartView() {
  const [isShared, setShared] = useState(false)
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const { busy, error, act } = useAct()
  const openLink = (event: Event) => {
    event.preventDefault()
    const arrival = arrivalIn(text, location.origin)
    setWrong(arrival === null)
    if (arrival?.kind === 'invitation') void act(() => openInvitation(arrival.secret))
    if (arrival?.kind === 'device-link') become({ kind: 'device-link', fragment: arrival.fragment })
  }
  return (
    <Page title={t('enter.startTitle')} lead={t('enter.startLead', { server: location.host })}>
      {error !== null && <Failure error={error} />}
      <div class="enter-acts">
        <Button tone="main" busy={busy} onClick={() => void act(() => signInWithPasskey(!isShared))}>
          {t('enter.signIn')}
        </Button>
      </div>
      <Switch
        label={t('enter.sharedComputer')}
        hint={t('enter.sharedComputerHint')}
        checked={isShared}
        onChange={setShared}
      />
      <form class="enter-other" onSubmit={openLink}>
        <h2>{t('enter.haveLink')}</h2>
        <Field
          label={t('enter.linkOrCode')}
          hint={t('enter.linkHint')}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
          dir="ltr"
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          enterKeyHint="go"
          error={isWrong ? t('enter.linkWrong') : null}
        >
          <Button type="submit" busy={busy} disabled={text.trim() === ''}>
            {t('parts.next')}
          </Button>
        </Field>
      </form>
      <p class="enter-foot">
        <Button tone="quiet" onClick={() => become({ kind: 'lost' })}>
          {t('enter.lostEverything')}
        </Button>
      </p>
    </Page>
  )
}
