import { useState } from 'preact/hooks'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field, Switch } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { plainName } from '../parts/plain-name.ts'
import { suggestedName } from '../passkey-gesture.ts'
import { useAct } from '../use-act.ts'
import { Page } from './enter.tsx'
import { entry } from './flow.ts'
import type { Invitation } from './server.ts'
import { hasPasskeys } from './support.ts'

/** An invitation was opened: who it is for, and the passkey to make. */
export function InvitationView({ secret, invitation }: { secret: string; invitation: Invitation }) {
  const [name, setName] = useState(suggestedName)
  const [isShared, setShared] = useState(false)
  const { busy, error, act } = useAct()
  const { userId, displayName, serverName, purpose, expiresTs } = invitation
  const isNew = purpose === 'enrol' || purpose === 'first-administrator'
  const called = plainName(displayName)
  return (
    <Page
      title={called === null ? t('enter.welcome') : t('enter.welcomeName', { name: called })}
      lead={isNew ? t('enter.invitationLead') : t('enter.againLead')}
    >
      <dl class="enter-facts">
        <dt>{t('enter.account')}</dt>
        <dd>
          {called !== null && <Name of={displayName} />} <Code>{userId}</Code>
        </dd>
        <dt>{t('enter.organisation')}</dt>
        <dd>
          <Code>{serverName}</Code>
        </dd>
        <dt>{t('enter.validUntil')}</dt>
        <dd>{formatDateTime(expiresTs)}</dd>
      </dl>
      {!isNew && <Notice tone="warn">{t('enter.replaces')}</Notice>}
      {!hasPasskeys() && <Notice tone="bad">{t('enter.noPasskeys')}</Notice>}
      {error !== null && <Failure error={error} />}
      <form
        onSubmit={event => {
          event.preventDefault()
          void act(() => entry.enrol(secret, invitation, name.trim(), !isShared))
        }}
      >
        <Field
          label={t('enter.deviceName')}
          hint={t('enter.deviceNameHint')}
          value={name}
          maxLength={100}
          onInput={event => setName(event.currentTarget.value)}
        />
        <Switch
          label={t('enter.sharedComputer')}
          hint={t('enter.sharedComputerHint')}
          checked={isShared}
          onChange={setShared}
        />
        <div class="enter-acts">
          <Button tone="main" type="submit" busy={busy} disabled={!hasPasskeys()}>
            {t('enter.createPasskey')}
          </Button>
        </div>
        <p class="enter-note">{t('enter.whatIsAPasskey')}</p>
      </form>
    </Page>
  )
}
