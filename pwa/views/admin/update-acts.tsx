/** What an administrator decides about an update, each with what it means: write it, when to restart, restart now. */
import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import { Field, Switch } from '../parts/field.tsx'
import { ActDialog } from './act-dialog.tsx'
import { act } from './ask.ts'

interface Ends {
  readonly onDone: () => void
  readonly onClose: () => void
}

export function ApplyUpdate({ version, running, ...ends }: { version: string; running: string } & Ends) {
  return (
    <ActDialog
      title={t('updates.apply')}
      confirm={t('updates.apply')}
      onDo={() => act('POST', '/update/apply', { version })}
      {...ends}
    >
      <p>{t('updates.applyText', { version, running })}</p>
    </ActDialog>
  )
}

export function RestartNow({ version, ...ends }: { version: string } & Ends) {
  return (
    <ActDialog
      title={t('updates.restart')}
      confirm={t('updates.restart')}
      grave
      onDo={() => act('POST', '/update/restart')}
      {...ends}
    >
      <p>{t('updates.restartText', { version })}</p>
    </ActDialog>
  )
}

export function ChangeWindow({ window, ...ends }: { window: string | null } & Ends) {
  const [isOn, setOn] = useState(window !== null)
  const [from, setFrom] = useState(window?.split('-')[0] ?? '02:00')
  const [to, setTo] = useState(window?.split('-')[1] ?? '04:00')
  const isGood = !isOn || (from !== '' && to !== '' && from !== to)
  return (
    <ActDialog
      title={t('updates.window')}
      confirm={t('parts.save')}
      disabled={!isGood}
      onDo={() => act('PUT', '/update/window', { window: isOn ? `${from}-${to}` : null })}
      {...ends}
    >
      <p>{t('updates.windowText')}</p>
      <Switch label={t('updates.windowBy')} checked={isOn} onChange={setOn} />
      {isOn && (
        <>
          <Field
            type="time"
            label={t('updates.windowFrom')}
            value={from}
            onInput={event => setFrom(event.currentTarget.value)}
          />
          <Field
            type="time"
            label={t('updates.windowTo')}
            value={to}
            onInput={event => setTo(event.currentTarget.value)}
          />
        </>
      )}
    </ActDialog>
  )
}
