import { useState } from 'preact/hooks'
import { isObject, type JsonObject } from '#protocol/json.ts'
import { formatDate, t } from '../../i18n/i18n.ts'
import { Field, Switch } from '../parts/field.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { saveFile } from '../settings/save-file.ts'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { ActRow } from './act-row.tsx'
import { act, ask, useAdmin } from './ask.ts'
import { BringCertificate } from './bring-certificate.tsx'
import { useChosenAct } from './chosen-act.ts'

interface Files {
  readonly files: readonly { readonly name: string; readonly content: string }[]
}

/** What an administrator does about the certificate that the server keeps itself. */
export function CertificateActs({ onChange }: { onChange: () => void }) {
  const asked = useAdmin('/certificate')
  const { busy, error, act: run } = useAct()
  const {
    asked: chosen,
    setAsked,
    ends,
  } = useChosenAct<'renew' | 'request' | 'bring'>(() => {
    asked.again()
    onChange()
  })
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!asked.answer) return <Skeleton lines={4} />
  const { kept, certificate, authority, next } = asked.answer
  if (kept !== true) return <p>{t('upkeep.certificateFiles')}</p>
  const renewsTs = isObject(certificate) ? certificate['renewal_ts'] : undefined
  const profiles = () =>
    run(async () => {
      const { files } = await ask<Files>('/certificate/mdm')
      for (const { name, content } of files)
        saveFile(new Blob([Uint8Array.from(atob(content), char => char.charCodeAt(0))]), name)
    })
  return (
    <section>
      <h3>{t('upkeep.certificateActs')}</h3>
      {typeof renewsTs === 'number' && <p>{t('upkeep.renews', { date: formatDate(renewsTs) })}</p>}
      {isObject(next) && <Notice>{t('upkeep.keyWaits')}</Notice>}
      <ul class="settings-rows">
        {typeof renewsTs === 'number' && (
          <ActRow
            title={t('upkeep.renewNow')}
            text={t('upkeep.renewNowText')}
            onAsk={() => setAsked('renew')}
          />
        )}
        <ActRow
          title={t('upkeep.request')}
          text={t('upkeep.requestText')}
          onAsk={() => setAsked('request')}
        />
        <ActRow title={t('upkeep.bring')} text={t('upkeep.bringText')} onAsk={() => setAsked('bring')} />
        {isObject(authority) && (
          <ActRow
            title={t('upkeep.profiles')}
            text={t('upkeep.profilesText')}
            onAsk={() => void (busy || profiles())}
          />
        )}
      </ul>
      {error !== null && <AdminFailure error={error} />}
      {chosen === 'renew' && <Renew {...ends} />}
      {chosen === 'request' && <Request {...ends} />}
      {chosen === 'bring' && <BringCertificate {...ends} />}
    </section>
  )
}

interface Ends {
  onDone: () => void
  onClose: () => void
}

function Renew({ onDone, onClose }: Ends) {
  const [isNewKey, setNewKey] = useState(false)
  return (
    <ActDialog
      title={t('upkeep.renewNow')}
      confirm={t('upkeep.renewNow')}
      onDo={() => act('POST', '/certificate/renew', { new_key: isNewKey })}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{t('upkeep.renewNowText')}</p>
      <Switch
        label={t('upkeep.newKey')}
        hint={t('upkeep.newKeyHint')}
        checked={isNewKey}
        onChange={setNewKey}
      />
      <p class="quiet">{t('upkeep.renewed')}</p>
    </ActDialog>
  )
}

function Request({ onClose }: Ends) {
  const [organisation, setOrganisation] = useState('')
  const [country, setCountry] = useState('')
  const [isNewKey, setNewKey] = useState(false)
  const make = async () => {
    const answer = await act<JsonObject>('POST', '/certificate/request', {
      new_key: isNewKey,
      ...(organisation.trim() !== '' && { organisation: organisation.trim() }),
      ...(country.trim() !== '' && { country: country.trim().toUpperCase() }),
    })
    saveFile(new Blob([String(answer['csr'])], { type: 'application/pkcs10' }), String(answer['file_name']))
    toast(String(answer['file_name']))
  }
  return (
    <ActDialog
      title={t('upkeep.request')}
      confirm={t('upkeep.request')}
      byPasskey={isNewKey}
      onDo={make}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{t('upkeep.requestText')}</p>
      <Field
        label={t('upkeep.organisation')}
        hint={t('upkeep.whereWanted')}
        value={organisation}
        maxLength={64}
        onInput={event => setOrganisation(event.currentTarget.value)}
      />
      <Field
        label={t('upkeep.country')}
        hint={t('upkeep.whereWanted')}
        value={country}
        maxLength={2}
        dir="ltr"
        onInput={event => setCountry(event.currentTarget.value)}
      />
      <Switch
        label={t('upkeep.newKey')}
        hint={t('upkeep.newKeyHint')}
        checked={isNewKey}
        onChange={setNewKey}
      />
    </ActDialog>
  )
}
