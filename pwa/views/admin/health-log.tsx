import type { JsonObject } from '#protocol/json.ts'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Empty } from '../parts/empty.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { AdminFailure } from './act-dialog.tsx'
import type { FindingAnswer } from './answers.ts'
import { useAdmin } from './ask.ts'
import { Tag } from './facts.tsx'
import { wordsOf } from './finding.tsx'

interface LogEntry extends Omit<FindingAnswer, 'since_ts'> {
  readonly number: number
  readonly ts: number
  readonly change: 'found' | 'over'
}

const tones = { note: undefined, warning: 'warn', alarm: 'bad' } as const

/** What was found over time, and when it was over. The server tells it oldest first; people want the newest. */
export function HealthLog() {
  // All that the server keeps.
  const log = useAdmin<{ entries: LogEntry[] } & JsonObject>('/health/log?limit=1000')
  if (log.error !== null) return <AdminFailure error={log.error} onRetry={log.again} />
  if (!log.answer) return <Skeleton lines={6} />
  const newest = log.answer.entries.toReversed()
  return (
    <section>
      <h3>{t('upkeep.log')}</h3>
      <p class="quiet">{t('upkeep.logText')}</p>
      {newest.length === 0 && (
        <Empty title={t('upkeep.logEmpty')}>
          <p>{t('site.allWell')}</p>
        </Empty>
      )}
      <ul class="settings-rows">
        {newest.map(entry => (
          <li key={entry.number}>
            <div>
              <p class="settings-row-name">{wordsOf(entry).is}</p>
              <p class="quiet">{formatDateTime(entry.ts)}</p>
            </div>
            {entry.change === 'over' ? (
              <Tag>{t('upkeep.logOver')}</Tag>
            ) : (
              <Tag {...(tones[entry.severity] && { tone: tones[entry.severity] })}>
                {t(`site.severity_${entry.severity}`)}
              </Tag>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
