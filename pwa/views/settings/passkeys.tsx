import { useState } from 'preact/hooks'
import { formatWhen, t } from '../../i18n/i18n.ts'
import { VaultError } from '../../vault/errors.ts'
import type { PasskeyEntry } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { openerOf, suggestedName } from '../passkey-gesture.ts'
import { useAct } from '../use-act.ts'
import { useAsked } from '../use-asked.ts'
import { addPasskey } from './add-passkey.ts'
import { removePasskey } from './remove-passkey.ts'

/** One's passkeys at the server: how one signs in. */
export function Passkeys() {
  const passkeys = useAsked('passkeys', () => call('passkeys', null))
  const identity = useAsked(
    'identity',
    () => call('identity', null),
    notice => notice.kind === 'identity',
  )
  // What was just made to open our keys is in the list of those that do only with the next sync.
  const [opening, setOpening] = useState<ReadonlySet<string>>(new Set())
  const opens = (id: string) => setOpening(before => new Set([...before, id]))
  const list = passkeys.answer
  return (
    <>
      <p>{t('settings.passkeysText')}</p>
      {passkeys.error !== null && <Failure error={passkeys.error} onRetry={passkeys.again} />}
      {!list && passkeys.error === null && <Skeleton lines={4} />}
      {list && (
        <>
          {list.length === 1 && <Notice tone="warn">{t('settings.onePasskey')}</Notice>}
          <ul class="settings-rows">
            {list.map(passkey => (
              <Row
                key={passkey.id}
                passkey={passkey}
                isLast={list.length === 1}
                mayOpenKeys={
                  identity.answer?.state === 'ready' &&
                  !identity.answer.passkeys.includes(passkey.id) &&
                  !opening.has(passkey.id)
                }
                onOpens={() => opens(passkey.id)}
                onChange={() => {
                  passkeys.again()
                  identity.again()
                }}
              />
            ))}
          </ul>
        </>
      )}
      <Add
        onAdded={({ id, opensKeys }) => {
          if (opensKeys) opens(id)
          passkeys.again()
        }}
      />
    </>
  )
}

function Row({
  passkey,
  isLast,
  mayOpenKeys,
  onOpens,
  onChange,
}: {
  passkey: PasskeyEntry
  isLast: boolean
  /** It signs in and does not open our keys: a new recovery key was made since, or it was added elsewhere. */
  mayOpenKeys: boolean
  onOpens: () => void
  onChange: () => void
}) {
  const [asking, setAsking] = useState<'rename' | 'remove' | null>(null)
  const { id, name, createdTs, lastUsedTs, synced } = passkey
  const close = () => setAsking(null)
  return (
    <li>
      <div>
        <p class="settings-row-name">
          <Name of={name} />
        </p>
        <p class="quiet">
          {t('settings.passkeyMade', { when: formatWhen(createdTs) })}
          {lastUsedTs !== null && ` · ${t('settings.passkeyUsed', { when: formatWhen(lastUsedTs) })}`}
        </p>
        <p class="quiet">{synced ? t('settings.passkeySynced') : t('settings.passkeySingle')}</p>
      </div>
      <div class="settings-acts">
        <Button onClick={() => setAsking('rename')}>{t('settings.renamePasskey')}</Button>
        <Button tone="grave" disabled={isLast} onClick={() => setAsking('remove')}>
          {t('settings.removePasskey')}
        </Button>
      </div>
      {isLast && <p class="quiet">{t('settings.lastPasskey')}</p>}
      {mayOpenKeys && <OpenKeys id={id} onDone={onOpens} />}
      {asking === 'rename' && (
        <Rename
          title={t('settings.renamePasskey')}
          label={t('settings.passkeyName')}
          name={name}
          onClose={close}
          onSave={async next => {
            await call('renamePasskey', { id, name: next })
            onChange()
          }}
        />
      )}
      {asking === 'remove' && <Remove passkey={passkey} onClose={close} onRemoved={onChange} />}
    </li>
  )
}

/** By one gesture with it, it opens our keys on a new device from then on. */
function OpenKeys({ id, onDone }: { id: string; onDone: () => void }) {
  const { busy, error, act } = useAct()
  const open = () =>
    act(async () => {
      const opener = await openerOf([id])
      if (!opener) throw new VaultError('PASSKEY_NO_PRF', 'the passkey gives no key')
      await call('addPasskeyToIdentity', opener)
      onDone()
    })
  return (
    <>
      <p class="quiet">{t('settings.passkeyOpensNothing')}</p>
      <Button busy={busy} onClick={open}>
        {t('settings.passkeyLetOpen')}
      </Button>
      {error !== null && <Failure error={error} />}
    </>
  )
}

/** A name in a dialog of its own: of a passkey, of a device. */
export function Rename({
  title,
  label,
  name,
  onClose,
  onSave,
}: {
  title: string
  label: string
  name: string
  onClose: () => void
  onSave: (name: string) => Promise<unknown>
}) {
  const [typed, setTyped] = useState(name)
  const { busy, error, act } = useAct()
  const save = async (event: Event) => {
    event.preventDefault()
    if (await act(() => onSave(typed.trim()))) onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={save}>
        <Field
          label={label}
          value={typed}
          maxLength={100}
          autoFocus
          onInput={event => setTyped(event.currentTarget.value)}
        />
        {error !== null && <Failure error={error} />}
        <Actions>
          <Button onClick={onClose}>{t('parts.cancel')}</Button>
          <Button tone="main" type="submit" busy={busy} disabled={typed.trim() === ''}>
            {t('parts.save')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}

function Remove({
  passkey,
  onClose,
  onRemoved,
}: {
  passkey: PasskeyEntry
  onClose: () => void
  onRemoved: () => void
}) {
  const { busy, error, act } = useAct()
  const remove = async () => {
    const done = await act(() => removePasskey(passkey.id))
    if (!done) return
    toast(t('settings.passkeyRemoved'))
    onClose()
    onRemoved()
  }
  return (
    <Dialog title={t('settings.removePasskey')} onClose={onClose}>
      <p>{t('settings.removePasskeyText', { name: passkey.name })}</p>
      {error !== null && <Failure error={error} />}
      <Actions>
        <Button onClick={onClose}>{t('parts.cancel')}</Button>
        <Button tone="grave" busy={busy} onClick={remove}>
          {t('settings.removePasskey')}
        </Button>
      </Actions>
    </Dialog>
  )
}

function Add({ onAdded }: { onAdded: (added: { id: string; opensKeys: boolean }) => void }) {
  const [name, setName] = useState(suggestedName)
  const [added, setAdded] = useState<{ opensKeys: boolean } | null>(null)
  const { busy, error, act } = useAct()
  const add = (event: Event) => {
    event.preventDefault()
    setAdded(null)
    void act(async () => {
      const made = await addPasskey(name.trim() || suggestedName())
      setAdded(made)
      onAdded(made)
    })
  }
  return (
    <section>
      <h3>{t('settings.addPasskey')}</h3>
      <p class="quiet">{t('settings.confirmFirst')}</p>
      <form onSubmit={add}>
        <Field
          label={t('settings.passkeyName')}
          hint={t('settings.passkeyNameHint')}
          value={name}
          maxLength={100}
          onInput={event => setName(event.currentTarget.value)}
        />
        {error !== null && <Failure error={error} />}
        {added && (
          <Notice tone={added.opensKeys ? 'good' : 'warn'}>
            {added.opensKeys ? (
              <>
                {t('settings.passkeyAdded')} {t('settings.passkeyOpensKeys')}
              </>
            ) : (
              t('settings.passkeyNoPrf')
            )}
          </Notice>
        )}
        <Button tone="main" type="submit" busy={busy}>
          {t('settings.addPasskey')}
        </Button>
      </form>
    </section>
  )
}
