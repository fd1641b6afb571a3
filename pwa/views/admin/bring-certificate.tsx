import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { formatDate, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { act, look } from './ask.ts'
import { Fact, Facts } from './facts.tsx'

interface Looked extends JsonObject {
  readonly names: string[]
  readonly not_before_ts: number
  readonly not_after_ts: number
  readonly fingerprint_sha256: string
  readonly remarks: string[]
}

/** More is no chain of certificates. */
const maxBytes = 1024 * 1024

/** What an authority issued: looked at by the server first, then taken. */
export function BringCertificate({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [file, setFile] = useState<string | null>(null)
  const [key, setKey] = useState<string | null>(null)
  const [passphrase, setPassphrase] = useState('')
  const [seen, setSeen] = useState<Looked | null>(null)
  const { busy, error, act: run } = useAct()
  const body = () => ({
    file: file!,
    ...(key !== null && { key }),
    ...(passphrase !== '' && { passphrase }),
  })
  const choose = (chosen: File | undefined, take: (bytes: Uint8Array) => void) => {
    setSeen(null)
    if (!chosen) return
    void run(async () => {
      if (chosen.size > maxBytes) throw { code: 'M_TOO_LARGE' }
      take(new Uint8Array(await chosen.arrayBuffer()))
    })
  }
  const reasons = reasonsOf(error)
  return (
    <ActDialog
      wide
      title={t('upkeep.bring')}
      confirm={t('upkeep.bring')}
      disabled={!seen || busy}
      onDo={() => act('POST', '/certificate/import', body())}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{t('upkeep.bringText')}</p>
      <label class="labelled">
        <span>{t('upkeep.certificateFile')}</span>
        <input
          type="file"
          accept=".pem,.crt,.cer,.p12,.pfx"
          onChange={event => choose(event.currentTarget.files?.[0], bytes => setFile(base64(bytes)))}
        />
      </label>
      <label class="labelled">
        <span>{t('upkeep.keyFile')}</span>
        <input
          type="file"
          accept=".pem,.key"
          onChange={event =>
            choose(event.currentTarget.files?.[0], bytes => setKey(new TextDecoder().decode(bytes)))
          }
        />
      </label>
      <Field
        label={t('upkeep.passphrase')}
        type="password"
        autoComplete="off"
        value={passphrase}
        onInput={event => {
          setPassphrase(event.currentTarget.value)
          setSeen(null)
        }}
      />
      <div class="settings-acts">
        <Button
          disabled={file === null}
          busy={busy}
          onClick={() => void run(async () => setSeen(await look<Looked>('/certificate/check', body())))}
        >
          {t('upkeep.lookAtIt')}
        </Button>
      </div>
      {error !== null &&
        (reasons.length === 0 ? (
          <AdminFailure error={error} />
        ) : (
          <Notice tone="bad">
            <ul>
              {reasons.map(reason => (
                <li key={reason} lang="en" dir="auto">
                  {reason}
                </li>
              ))}
            </ul>
          </Notice>
        ))}
      {seen && (
        <>
          <Facts>
            <Fact name={t('site.names')}>
              <Code>{seen.names.join(', ')}</Code>
            </Fact>
            <Fact name={t('site.validFrom')}>{formatDate(seen.not_before_ts)}</Fact>
            <Fact name={t('site.validUntil')}>{formatDate(seen.not_after_ts)}</Fact>
            <Fact name={t('site.fingerprint')}>
              <Code>{seen.fingerprint_sha256}</Code>
            </Fact>
          </Facts>
          {seen.remarks.length > 0 && (
            <Notice tone="warn">
              <p>{t('upkeep.remarks')}</p>
              {seen.remarks.map(remark => (
                <p key={remark} lang="en" dir="auto">
                  {remark}
                </p>
              ))}
            </Notice>
          )}
        </>
      )}
    </ActDialog>
  )
}

/** The server's own sentences: what speaks against a certificate is said by whoever reads certificates. */
function reasonsOf(error: unknown): readonly string[] {
  const message = error instanceof Error ? error.message : ''
  return message === '' ? [] : message.split('\n').filter(Boolean)
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
