import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call, session } from '../account.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Failure } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { PicturePicker } from '../picture-picker.tsx'
import { useAct } from '../use-act.ts'

/** Name and picture, which everybody sees, and the address. */
export function Profile() {
  const ours = session.value
  const [typed, setTyped] = useState<string | null>(null)
  const { busy, error, act } = useAct()
  if (!ours) return <Skeleton />
  const name = typed ?? ours.displayName ?? ''
  const save = async (event: Event) => {
    event.preventDefault()
    if (await act(() => call('setProfile', { displayName: name.trim() }))) {
      setTyped(null)
      toast(t('settings.saved'))
    }
  }
  const copy = async () => {
    await navigator.clipboard.writeText(ours.userId)
    toast(t('parts.copied'))
  }
  return (
    <>
      <div class="profile-picture">
        <Avatar id={ours.userId} name={ours.displayName} avatar={ours.avatar} size="l" />
        <div>
          <PicturePicker
            has={ours.avatar !== null}
            onPick={picture => call('setProfile', { avatar: picture })}
          />
          <p class="field-hint">{t('trust.pictureHint')}</p>
        </div>
      </div>
      <form onSubmit={save}>
        <Field
          label={t('settings.displayName')}
          hint={t('settings.displayNameHint')}
          value={name}
          maxLength={256}
          autoComplete="name"
          onInput={event => setTyped(event.currentTarget.value)}
        />
        {error !== null && <Failure error={error} />}
        <Button
          tone="main"
          type="submit"
          busy={busy}
          disabled={name.trim() === '' || name.trim() === (ours.displayName ?? '')}
        >
          {t('parts.save')}
        </Button>
      </form>
      <h3>{t('settings.userId')}</h3>
      <p>
        <Code>{ours.userId}</Code>
      </p>
      <p class="field-hint">{t('settings.userIdHint')}</p>
      <Button onClick={copy}>{t('settings.copyAddress')}</Button>
      {ours.isAdministrator && <p>{t('settings.administrator')}</p>}
    </>
  )
}
