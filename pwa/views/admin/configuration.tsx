import type { JsonObject } from '#protocol/json.ts'
import { t } from '../../i18n/i18n.ts'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { AdminFailure } from './act-dialog.tsx'
import { useAdmin } from './ask.ts'
import { Tag } from './facts.tsx'

interface Setting {
  readonly key: string
  readonly value: string | null
  readonly from: 'file' | 'environment' | 'default'
  readonly doc: string
}

/** What is in force, and where each value comes from. It changes there, not here. */
export function Configuration() {
  const asked = useAdmin<{ settings: Setting[] } & JsonObject>('/configuration')
  if (asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!asked.answer) return <Skeleton lines={10} />
  return (
    <>
      <Notice>{t('admin.configurationText')}</Notice>
      <ul class="admin-settings">
        {asked.answer.settings.map(({ key, value, from, doc }) => (
          <li key={key}>
            <p class="admin-setting">
              <Code>{`${key} = ${value ?? t('admin.noValue')}`}</Code>
              {from !== 'default' && <Tag>{t(`admin.from_${from}`)}</Tag>}
            </p>
            {/* As it stands in letro.example.toml, whose language is English. */}
            <p class="quiet" lang="en" dir="ltr">
              {doc}
            </p>
          </li>
        ))}
      </ul>
    </>
  )
}
