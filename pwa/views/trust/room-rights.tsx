import { type Key, t } from '../../i18n/i18n.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Failure } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { RoleSelect } from './role-select.tsx'
import { roleKey } from './role-words.ts'
import { levelOf, type Right, rights, roleOf, withLevel } from './roles.ts'

const keys = {
  send: 'trust.rightSend',
  invite: 'trust.rightInvite',
  rename: 'trust.rightRename',
  access: 'trust.rightAccess',
  pin: 'trust.rightPin',
  redact: 'trust.rightRedact',
  kick: 'trust.rightKick',
  ban: 'trust.rightBan',
  room: 'trust.rightRoom',
  power: 'trust.rightPower',
} as const satisfies Record<Right, Key>

/** Which role each act takes. Nobody can ask for more than they have themselves. */
export function RoomRights({ detail }: { detail: RoomDetail }) {
  const { powerLevels, ourPower, may } = detail
  const { busy, error, act } = useAct()
  const set = (right: Right, level: number) =>
    act(() =>
      call('setState', {
        roomId: detail.entry.roomId,
        type: 'm.room.power_levels',
        stateKey: '',
        content: withLevel(powerLevels, right, level),
      }),
    )
  return (
    <details>
      <summary>
        {t('trust.roles')}: {t('trust.rolesText')}
      </summary>
      {may.setPower ? (
        rights.map(right => {
          const level = levelOf(powerLevels, right)
          const levels = [...new Set([100, 50, 0, level])].sort((a, b) => b - a)
          return (
            <RoleSelect
              key={right}
              label={t(keys[right])}
              value={level}
              levels={levels.filter(each => each <= ourPower || each === level)}
              detail={{ powerLevels: {} }}
              disabled={busy || level > ourPower}
              onChange={chosen => set(right, chosen)}
            />
          )
        })
      ) : (
        <dl class="trust-facts">
          {rights.map(right => {
            const level = levelOf(powerLevels, right)
            return [
              <dt key={right}>{t(keys[right])}</dt>,
              <dd key={`${right} role`}>{t(roleKey(roleOf(level, { powerLevels: {} })), { level })}</dd>,
            ]
          })}
        </dl>
      )}
      {error !== null && <Failure error={error} />}
    </details>
  )
}
