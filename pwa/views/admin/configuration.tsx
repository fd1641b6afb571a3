import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Code } from '../parts/name.tsx'
import { cut } from '../parts/plain-name.ts'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { act, inPath, useAdmin } from './ask.ts'
import { ChangeSetting } from './change-setting.tsx'
import { Tag } from './facts.tsx'
import { SettingDoc } from './setting-text.tsx'

/** server/admin-api/README.md. */
export interface Setting {
  readonly key: string
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'set' | 'default'
  readonly doc: string
  readonly kind: 'switch' | 'number' | 'list' | 'choice' | 'text'
  readonly allowed: string
  readonly choices?: readonly string[]
  readonly changes: 'now' | 'restart' | null
  readonly in_force?: string | null
  readonly version: string
}

/** What the server runs with: first what can be changed here, then what belongs to its machine. */
export function Configuration() {
  const asked = useAdmin<{ settings: Setting[] } & JsonObject>('/configuration')
  const [changing, setChanging] = useState<Setting | null>(null)
  const [resetting, setResetting] = useState<Setting | null>(null)
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!asked.answer) return <Skeleton lines={10} />
  const { settings } = asked.answer
  const end = () => {
    setChanging(null)
    setResetting(null)
  }
  const ends = {
    onDone: () => {
      end()
      toast(t('upkeep.kept'))
      asked.again()
    },
    onChanged: () => {
      end()
      asked.again()
    },
    onClose: end,
  }
  const list = (those: readonly Setting[]) => (
    <ul class="admin-settings">
      {those.map(setting => (
        <li key={setting.key}>
          <SettingLine setting={setting} />
          {setting.changes !== null && (
            <div class="settings-acts">
              <Button
                aria-label={t('upkeep.changeOf', { key: setting.key })}
                onClick={() => setChanging(setting)}
              >
                {t('upkeep.change')}
              </Button>
              {setting.from === 'set' && (
                <Button
                  tone="quiet"
                  aria-label={t('upkeep.resetOf', { key: setting.key })}
                  onClick={() => setResetting(setting)}
                >
                  {t('upkeep.reset')}
                </Button>
              )}
            </div>
          )}
        </li>
      ))}
    </ul>
  )
  return (
    <>
      <p class="quiet">{t('upkeep.settingsText')}</p>
      <h3>{t('upkeep.changeable')}</h3>
      {list(settings.filter(({ changes }) => changes !== null))}
      <h3>{t('upkeep.others')}</h3>
      {list(settings.filter(({ changes }) => changes === null))}
      {changing && <ChangeSetting setting={changing} {...ends} />}
      {resetting && (
        <ActDialog
          title={t('upkeep.reset')}
          confirm={t('upkeep.reset')}
          onDo={() =>
            act('DELETE', `/configuration/${inPath(resetting.key)}`, { version: resetting.version })
          }
          {...ends}
        >
          <p>
            <Code>{resetting.key}</Code>
          </p>
          <p>{t('upkeep.resetText')}</p>
        </ActDialog>
      )}
    </>
  )
}

/** Of a certificate the beginning says enough. */
const shownLetters = 160

function SettingLine({ setting }: { setting: Setting }) {
  const { key, value, from, in_force: inForce } = setting
  const words = {
    set: t('upkeep.from_set'),
    file: t('admin.from_file'),
    environment: `${t('admin.from_environment')} · ${t('upkeep.fixed')}`,
  }
  return (
    <div>
      <p class="admin-setting">
        <Code>{`${key} = ${cut(value ?? t('admin.noValue'), shownLetters)}`}</Code>
        {from !== 'default' && <Tag>{words[from]}</Tag>}
        {inForce !== undefined && (
          <Tag tone="warn">
            {t('upkeep.untilRestart', { value: cut(inForce ?? t('admin.noValue'), shownLetters) })}
          </Tag>
        )}
      </p>
      <SettingDoc setting={setting} />
    </div>
  )
}
