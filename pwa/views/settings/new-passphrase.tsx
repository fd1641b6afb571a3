import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'

/** As vault/vault-key.ts demands it: the disk can be guessed at for ever. */
export const shortestPassphrase = 10

/** A passphrase typed twice. */
export function NewPassphrase({
  label,
  submit,
  busy,
  onSubmit,
}: {
  label: string
  submit: string
  busy: boolean
  onSubmit: (passphrase: string) => Promise<unknown>
}) {
  const [first, setFirst] = useState('')
  const [second, setSecond] = useState('')
  const [isChecked, setChecked] = useState(false)
  const count = shortestPassphrase
  const isShort = first.length < count
  const differs = first !== second
  const done = (event: Event) => {
    event.preventDefault()
    setChecked(true)
    if (isShort || differs) return
    void onSubmit(first).then(() => {
      setFirst('')
      setSecond('')
      setChecked(false)
    })
  }
  return (
    <form onSubmit={done}>
      <Field
        label={label}
        type="password"
        value={first}
        autoComplete="new-password"
        hint={t('settings.passphraseHint', { count })}
        error={isChecked && isShort ? t('settings.passphraseShort', { count }) : null}
        onInput={event => setFirst(event.currentTarget.value)}
      />
      <Field
        label={t('settings.passphraseAgain')}
        type="password"
        value={second}
        autoComplete="new-password"
        error={isChecked && !isShort && differs ? t('settings.passphraseDiffers') : null}
        onInput={event => setSecond(event.currentTarget.value)}
      />
      <Button type="submit" busy={busy} disabled={first === ''}>
        {submit}
      </Button>
    </form>
  )
}
