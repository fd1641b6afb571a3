import { useState } from 'preact/hooks'
import type { Json } from '#protocol/json.ts'
import { parts, t } from '../../i18n/i18n.ts'
import { Choice, Field, Switch } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { ActDialog } from './act-dialog.tsx'
import { act, inPath } from './ask.ts'
import type { Setting } from './configuration.tsx'
import { SettingAllowed, SettingDoc } from './setting-text.tsx'

/** One setting, entered as its kind has it; the server says what is allowed, and checks. */
export function ChangeSetting({
  setting,
  ...ends
}: {
  setting: Setting
  onDone: () => void
  onChanged: () => void
  onClose: () => void
}) {
  const { key, kind, changes, version } = setting
  const [text, setText] = useState(textOf(setting))
  const [isNothing, setNothing] = useState(setting.value === null)
  // Where the file may say nothing, nothing can be said here as well.
  const mayBeNothing = kind === 'text' && (setting.value === null || setting.from !== 'default')
  const value = (): Json => {
    if (mayBeNothing && isNothing) return null
    return kind === 'list' ? text.split(/\s+/).filter(Boolean) : text.trim()
  }
  return (
    <ActDialog
      wide
      title={t('upkeep.change')}
      confirm={t('parts.save')}
      onDo={() => act('PUT', `/configuration/${inPath(key)}`, { value: value(), version })}
      {...ends}
    >
      <p>
        <Code>{key}</Code>
      </p>
      <SettingDoc setting={setting} />
      <Entry setting={setting} text={text} onText={setText} disabled={mayBeNothing && isNothing} />
      {mayBeNothing && (
        <Switch
          label={t('upkeep.nothing')}
          hint={t('upkeep.nothingHint')}
          checked={isNothing}
          onChange={setNothing}
        />
      )}
      {kind !== 'switch' && kind !== 'choice' && (
        <p class="quiet">{parts('upkeep.allowed', { allowed: <SettingAllowed setting={setting} /> })}</p>
      )}
      <p>{t(changes === 'now' ? 'upkeep.countsNow' : 'upkeep.countsRestart')}</p>
    </ActDialog>
  )
}

function Entry({
  setting: { kind, choices = [] },
  text,
  onText,
  disabled,
}: {
  setting: Setting
  text: string
  onText: (text: string) => void
  disabled: boolean
}) {
  switch (kind) {
    case 'switch':
    case 'choice': {
      const options = kind === 'choice' ? choices : ['true', 'false']
      const words: Readonly<Record<string, string>> = { true: t('upkeep.on'), false: t('upkeep.off') }
      return (
        <Choice
          label={t('upkeep.value')}
          value={text}
          options={options.map(value => ({ value, label: words[value] ?? value }))}
          onChange={onText}
        />
      )
    }
    case 'list':
      return (
        <label class="labelled">
          <span>
            {t('upkeep.value')} · {t('upkeep.oneALine')}
          </span>
          <textarea
            rows={4}
            dir="ltr"
            spellcheck={false}
            value={text}
            onInput={event => onText(event.currentTarget.value)}
          />
        </label>
      )
    case 'number':
    case 'text':
      return (
        <Field
          label={t('upkeep.value')}
          value={text}
          dir="ltr"
          disabled={disabled}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          {...(kind === 'number' && { inputMode: 'numeric' as const })}
          onInput={event => onText(event.currentTarget.value)}
        />
      )
  }
}

/** The value as somebody types it: without the quotation marks of the file. */
function textOf({ value, kind }: Setting): string {
  if (value === null) return ''
  try {
    const parsed: unknown = JSON.parse(value)
    return kind === 'list' && Array.isArray(parsed) ? parsed.join('\n') : String(parsed)
  } catch {
    return value
  }
}
