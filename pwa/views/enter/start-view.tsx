import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field, Switch } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { readServerInfo, serverInfo } from '../server-info.ts'
import { useAct } from '../use-act.ts'
import { DemoPeople } from './demo-people.tsx'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import { arrivalIn } from './link.ts'
import { LinkScanner } from './link-scanner.tsx'
import { hasServiceWorker, mustInstallFirst } from './support.ts'

/** Nobody is signed in here: a passkey, or a link or code. */
export function StartView({ error: before }: { error: unknown }) {
  const [isShared, setShared] = useState(false)
  const { busy, error, act } = useAct()
  useEffect(() => {
    if (!serverInfo.peek()) void readServerInfo().catch(() => {})
  }, [])
  const demo = serverInfo.value?.demo ?? []
  return (
    <Page title={t('enter.startTitle')} lead={t('enter.startLead', { server: location.host })}>
      {(error ?? before) !== null && <Failure error={error ?? before} />}
      {demo.length > 0 && <DemoPeople people={demo} busy={busy} act={act} />}
      <div class="enter-acts">
        <Button
          tone={demo.length > 0 ? 'plain' : 'main'}
          busy={busy}
          onClick={() => void act(() => entry.signInWithPasskey(!isShared))}
        >
          {t('enter.signIn')}
        </Button>
      </div>
      <Switch
        label={t('enter.sharedComputer')}
        hint={t('enter.sharedComputerHint')}
        checked={isShared}
        onChange={setShared}
      />
      {mustInstallFirst() && <Notice tone="warn">{t('enter.startInstall')}</Notice>}
      {!hasServiceWorker() && <Notice>{t('enter.noServiceWorker')}</Notice>}
      <Invited />
      <p class="enter-foot">
        <Button tone="quiet" onClick={() => entry.become({ kind: 'lost' })}>
          {t('enter.lostEverything')}
        </Button>
      </p>
    </Page>
  )
}

/** A link or code, typed, pasted or read by the camera. */
function Invited() {
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const { busy, error, act } = useAct()
  const follow = (read: string) => {
    const arrival = arrivalIn(read, location.origin)
    setWrong(arrival === null)
    if (arrival?.kind === 'invitation') void act(() => entry.openInvitation(arrival.secret))
    if (arrival?.kind === 'device-link') {
      entry.become({ kind: 'device-link', fragment: arrival.fragment })
    }
  }
  return (
    <form
      class="enter-other"
      onSubmit={event => {
        event.preventDefault()
        follow(text)
      }}
    >
      <h2>{t('enter.haveLink')}</h2>
      {error !== null && <Failure error={error} />}
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
      <LinkScanner onRead={follow} />
    </form>
  )
}
