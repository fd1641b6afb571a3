import { useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { NewPassphrase } from './new-passphrase.tsx'
import { saveFile } from './save-file.ts'

/** Spec: client-server-api#key-exports. The file is what other Matrix apps write and read. */
export function KeyFiles() {
  return (
    <>
      <Export />
      <Import />
    </>
  )
}

function Export() {
  const { busy, error, act } = useAct()
  const write = (passphrase: string) =>
    act(async () => saveFile(await call('exportKeys', { passphrase }), `${t('settings.exportFileName')}.txt`))
  return (
    <section>
      <h3>{t('settings.exportKeys')}</h3>
      <p>{t('settings.exportText')}</p>
      <NewPassphrase
        label={t('settings.filePassphrase')}
        submit={t('settings.export')}
        busy={busy}
        onSubmit={write}
      />
      {error !== null && <Failure error={error} />}
    </section>
  )
}

function Import() {
  const [passphrase, setPassphrase] = useState('')
  const [done, setDone] = useState<{ imported: number; total: number } | null>(null)
  const [isMissing, setMissing] = useState(false)
  const file = useRef<HTMLInputElement>(null)
  const { busy, error, act } = useAct()
  const read = (event: Event) => {
    event.preventDefault()
    const chosen = file.current?.files?.[0]
    setMissing(!chosen)
    setDone(null)
    if (!chosen) return
    void act(async () => {
      setDone(await call('importKeys', { file: chosen, passphrase }))
      setPassphrase('')
    })
  }
  return (
    <section>
      <h3>{t('settings.importKeys')}</h3>
      <p>{t('settings.importText')}</p>
      <form onSubmit={read}>
        <div class="field">
          <label for="key-file">{t('settings.importFile')}</label>
          <input id="key-file" ref={file} type="file" accept=".txt,text/plain" aria-invalid={isMissing} />
          <p class="field-error" aria-live="polite">
            {isMissing && t('settings.chooseFile')}
          </p>
        </div>
        <Field
          label={t('settings.filePassphrase')}
          type="password"
          value={passphrase}
          autoComplete="off"
          onInput={event => setPassphrase(event.currentTarget.value)}
        />
        {error !== null && <Failure error={error} />}
        {done && <Notice tone="good">{t('settings.imported', { ...done })}</Notice>}
        <Button type="submit" busy={busy} disabled={passphrase === ''}>
          {t('settings.import')}
        </Button>
      </form>
    </section>
  )
}
