import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import type { Direction, PeerAnswer } from './answers.ts'
import { act, look } from './ask.ts'
import { PeerTerms } from './peer-terms.tsx'
import { CompareWords } from './words.tsx'

interface Seen extends JsonObject {
  readonly server_name: string
  readonly fingerprint: string[]
  readonly pinned: (PeerAnswer & JsonObject) | null
}

/** A server that has no card: its name, its key, where it answers, and the same comparison of words. */
export function PinHomeserver({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [key, setKey] = useState('')
  const [address, setAddress] = useState('')
  const [ca, setCa] = useState('')
  const [spki, setSpki] = useState('')
  const [seen, setSeen] = useState<Seen | null>(null)
  const [agrees, setAgrees] = useState(false)
  const [direction, setDirection] = useState<Direction>('both')
  const [note, setNote] = useState('')
  const { busy, error, act: run } = useAct()
  const line = (label: string, value: string, set: (text: string) => void, hint?: string) => (
    <Field
      label={label}
      {...(hint !== undefined && { hint })}
      value={value}
      dir="ltr"
      autoComplete="off"
      autoCapitalize="off"
      spellcheck={false}
      onInput={event => set(event.currentTarget.value.trim())}
    />
  )
  const changed = (set: (text: string) => void) => (text: string) => {
    set(text)
    setSeen(null)
    setAgrees(false)
  }
  const pin = () => {
    const [, host = '', port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(address) ?? []
    return act('POST', '/peers', {
      homeserver: name,
      key,
      fingerprint: seen!.fingerprint.join(' '),
      direction,
      ...(address !== '' && { address: { host, port: Number(port ?? 8448) } }),
      ...(ca.trim() !== '' && { ca }),
      ...(spki !== '' && { spki_sha256: [spki] }),
      ...(note.trim() !== '' && { note: note.trim() }),
    })
  }
  return (
    <ActDialog
      wide
      title={t('upkeep.pinHomeserver')}
      confirm={t('site.pin')}
      disabled={!seen || busy || !agrees}
      onDo={pin}
      onDone={() => {
        toast(t('site.pinned', { server: name }))
        onDone()
      }}
      onClose={onClose}
    >
      <p>{t('upkeep.pinHomeserverText')}</p>
      {line(t('upkeep.serverName'), name, changed(setName))}
      {line(t('upkeep.signingKey'), key, changed(setKey), t('upkeep.keyHint'))}
      {line(t('site.address'), address, setAddress, t('upkeep.addressHint'))}
      <label class="labelled">
        <span>{t('upkeep.authorityPem')}</span>
        <textarea
          rows={3}
          dir="ltr"
          spellcheck={false}
          value={ca}
          onInput={event => setCa(event.currentTarget.value)}
        />
      </label>
      {line(t('upkeep.spki'), spki, setSpki)}
      <div class="settings-acts">
        <Button
          busy={busy}
          disabled={name === '' || key === ''}
          onClick={() =>
            void run(async () => setSeen(await look<Seen>('/peers/check', { homeserver: name, key })))
          }
        >
          {t('upkeep.showWords')}
        </Button>
      </div>
      {error !== null && <AdminFailure error={error} />}
      {seen && (
        <>
          <CompareWords words={seen.fingerprint} onAgree={setAgrees} />
          <PeerTerms direction={direction} onDirection={setDirection} note={note} onNote={setNote} />
        </>
      )}
    </ActDialog>
  )
}
