import { isKey, t } from '../../i18n/i18n.ts'
import { Code } from '../parts/name.tsx'
import type { Setting } from './configuration.tsx'

/** What a setting means, in the person's language; what a server says that knows one more is in English. */
export function SettingDoc({ setting: { key, doc } }: { setting: Setting }) {
  const name = `configuration.${nameOf(key)}`
  return (
    <p class="quiet">
      {isKey(name) ? (
        <Quoting text={t(name)} />
      ) : (
        <bdi lang="en" dir="ltr">
          {doc}
        </bdi>
      )}
    </p>
  )
}

/** What it may be. Settings of a section that are alike share one text. */
export function SettingAllowed({ setting: { key, allowed } }: { setting: Setting }) {
  const [section = ''] = key.split('.')
  const name = [nameOf(key), section].map(of => `configuration.allowed_${of}`).find(isKey)
  return name === undefined ? <bdi lang="en">{allowed}</bdi> : <Quoting text={t(name)} />
}

/** In quotation marks stands what is typed as it stands. */
function Quoting({ text }: { text: string }) {
  return <>{text.split(/"([^"]+)"/).map((part, i) => (i % 2 === 0 ? part : <Code key={i}>{part}</Code>))}</>
}

const nameOf = (key: string) => key.replaceAll('.', '_')
