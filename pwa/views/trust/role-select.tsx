import { useId } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { roleKey } from './role-words.ts'
import { roleOf } from './roles.ts'

/** One of the roles that may be given. A level without a name is shown as its number. */
export function RoleSelect({
  label,
  value,
  levels,
  detail,
  disabled = false,
  onChange,
}: {
  label: string
  value: number
  levels: readonly number[]
  detail: Pick<RoomDetail, 'powerLevels'>
  disabled?: boolean
  onChange: (level: number) => void
}) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={String(value)}
        disabled={disabled}
        onChange={event => onChange(Number(event.currentTarget.value))}
      >
        {levels.map(level => (
          <option key={level} value={String(level)}>
            {t(roleKey(roleOf(level, detail)), { level })}
          </option>
        ))}
      </select>
    </div>
  )
}
