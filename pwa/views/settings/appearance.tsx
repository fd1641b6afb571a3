import {
  type Calendar,
  type Digits,
  formatDate,
  formatNumber,
  type Language,
  languages,
  type Manner,
  manner,
  setManner,
  t,
} from '../../i18n/i18n.ts'
import { Choice, Switch } from '../parts/field.tsx'
import { Failure } from '../parts/notice.tsx'
import { preferences, setPreferences } from '../preferences.ts'
import { useAct } from '../use-act.ts'

/** Colours, language, calendar, digits, and what Enter does. */
export function Appearance() {
  const { language, calendar, digits, theme } = manner.value
  const { error, act } = useAct()
  const change = (what: Partial<Manner>) => act(() => setManner(what))
  return (
    <>
      {error !== null && <Failure error={error} />}
      <Choice<Manner['theme']>
        label={t('settings.theme')}
        value={theme}
        options={[
          { value: 'system', label: t('settings.themeSystem') },
          { value: 'light', label: t('settings.themeLight') },
          { value: 'dark', label: t('settings.themeDark') },
        ]}
        onChange={value => change({ theme: value })}
      />
      <Choice<Language>
        label={t('settings.language')}
        value={language}
        options={Object.entries(languages).map(([value, label]) => ({
          value: value as Language,
          // Each in its own words: whoever cannot read this page finds theirs.
          label: <span lang={value}>{label}</span>,
        }))}
        onChange={value => change({ language: value })}
      />
      <div class="settings-pair">
        <Choice<Calendar>
          label={t('settings.calendar')}
          value={calendar}
          options={[
            { value: 'gregory', label: t('settings.calendarGregory') },
            { value: 'islamic-umalqura', label: t('settings.calendarIslamic') },
            { value: 'persian', label: t('settings.calendarPersian') },
          ]}
          onChange={value => change({ calendar: value })}
        />
        <Choice<Digits>
          label={t('settings.digits')}
          value={digits}
          options={[
            { value: 'latn', label: <bdi dir="ltr">{t('settings.digitsLatin')}</bdi> },
            { value: 'arab', label: <bdi dir="ltr">{t('settings.digitsArabic')}</bdi> },
          ]}
          onChange={value => change({ digits: value })}
        />
      </div>
      <p class="field-hint">
        {t('settings.example', { date: formatDate(Date.now()), number: formatNumber(12345.6) })}
      </p>
      <h3>{t('settings.writing')}</h3>
      <Switch
        label={t('settings.enterSends')}
        hint={t('settings.enterSendsHint')}
        checked={preferences.value.enterSends}
        onChange={enterSends => setPreferences({ enterSends })}
      />
    </>
  )
}
