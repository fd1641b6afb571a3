import { t } from '../../i18n/i18n.ts'
import { Choice } from '../parts/field.tsx'
import type { Kind } from './answers.ts'

/** What somebody is, each kind with what it means. */
export function KindChoice<K extends Kind>({
  kind,
  kinds,
  onChange,
}: {
  kind: K
  kinds: readonly K[]
  onChange: (kind: K) => void
}) {
  return (
    <Choice
      label={t('people.kind')}
      value={kind}
      options={kinds.map(value => ({
        value,
        label: t(`people.kind_${value as Kind}`),
        hint: t(`people.kindHint_${value as Kind}`),
      }))}
      onChange={onChange}
    />
  )
}
