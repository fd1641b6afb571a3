import { useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.ts'
import type { RoomDetail } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { Button } from '../parts/button.tsx'
import { Choice } from '../parts/field.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'
import { levelOf } from './roles.ts'
import { historyKey, joinRuleKey } from './room-rules.ts'

const joinRules = ['invite', 'knock', 'restricted', 'public'] as const
const histories = ['joined', 'invited', 'shared'] as const

/** Who may join, what newcomers read, and encryption, which only goes one way. */
export function RoomAccess({ detail }: { detail: RoomDetail }) {
  const { entry, joinRule, historyVisibility } = detail
  const { roomId } = entry
  const { error, act } = useAct()
  const may = mayChange(detail)
  const set = (type: string, content: Record<string, string>) =>
    act(() => call('setState', { roomId, type, stateKey: '', content }))
  // Without a space there is nobody whom `restricted` would let in.
  const rules = joinRules.filter(rule => rule !== 'restricted' || rule === joinRule)
  return (
    <section>
      <h3>{t('trust.access')}</h3>
      {may ? (
        <>
          <Choice
            label={t('trust.whoMayJoin')}
            value={joinRule}
            options={[...new Set([...rules, joinRule])].map(rule => ({
              value: rule,
              label: t(joinRuleKey(rule)),
            }))}
            onChange={rule => set('m.room.join_rules', { join_rule: rule })}
          />
          <Choice
            label={t('trust.whatNewcomersSee')}
            value={historyVisibility}
            options={[...new Set<string>([...histories, historyVisibility])].map(history => ({
              value: history,
              label: t(historyKey(history)),
            }))}
            onChange={history => set('m.room.history_visibility', { history_visibility: history })}
          />
        </>
      ) : (
        <dl class="trust-facts">
          <dt>{t('trust.whoMayJoin')}</dt>
          <dd>{t(joinRuleKey(joinRule))}</dd>
          <dt>{t('trust.whatNewcomersSee')}</dt>
          <dd>{t(historyKey(historyVisibility))}</dd>
        </dl>
      )}
      {error !== null && <Failure error={error} />}
      {!entry.isSpace && <Encryption detail={detail} may={may} />}
    </section>
  )
}

function Encryption({ detail, may }: { detail: RoomDetail; may: boolean }) {
  const { roomId, encrypted } = detail.entry
  const [isAsking, setAsking] = useState(false)
  const { busy, error, act } = useAct()
  // Spec: client-server-api#mroomencryption
  const turnOn = () =>
    call('setState', {
      roomId,
      type: 'm.room.encryption',
      stateKey: '',
      content: { algorithm: 'm.megolm.v1.aes-sha2' },
    })
  return (
    <>
      <h3>{t('trust.encryption')}</h3>
      <p>{encrypted ? t('trust.encryptionOn') : t('trust.notEncrypted')}</p>
      {!encrypted && may && !isAsking && (
        <Button onClick={() => setAsking(true)}>{t('trust.turnOnEncryption')}</Button>
      )}
      {!encrypted && isAsking && (
        <Notice
          tone="warn"
          actions={
            <Button tone="main" busy={busy} onClick={() => act(turnOn)}>
              {t('trust.turnOnEncryption')}
            </Button>
          }
        >
          {t('trust.turnOnEncryptionText')}
        </Notice>
      )}
      {error !== null && <Failure error={error} />}
    </>
  )
}

function mayChange({ ourPower, powerLevels }: RoomDetail): boolean {
  return ourPower >= levelOf(powerLevels, 'access')
}
