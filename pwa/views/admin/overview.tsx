import type { JsonObject } from '#protocol/json.ts'
import { formatDateTime, isKey, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { AdminFailure } from './act-dialog.tsx'
import { formatFact } from './amounts.ts'
import type { HealthAnswer } from './answers.ts'
import { useAdmin } from './ask.ts'
import { Fact, Facts } from './facts.tsx'
import { FindingView } from './finding.tsx'
import { HealthLog } from './health-log.tsx'

/** How the server is: what was found first, then what it measures. */
export function Overview() {
  const health = useAdmin<HealthAnswer & JsonObject>('/health')
  const report = health.answer
  if (health.error !== null) return <AdminFailure error={health.error} onRetry={health.again} />
  if (!report) return <Skeleton lines={8} />
  return (
    <>
      {report.findings.length === 0 && (
        <Notice tone="good">
          <p>{t('site.allWell')}</p>
        </Notice>
      )}
      {report.findings.map(finding => (
        <FindingView key={`${finding.code} ${finding.subject ?? ''}`} finding={finding} />
      ))}
      <p class="quiet">
        {t('site.lookedAt', { date: formatDateTime(report.ts) })}{' '}
        <Button tone="quiet" onClick={health.again}>
          {t('site.lookAgain')}
        </Button>
      </p>
      <Readings readings={report.readings} />
      <HealthLog />
    </>
  )
}

/** Those with words of ours; certificates have a page of their own. */
function Readings({ readings }: { readings: HealthAnswer['readings'] }) {
  const shown = Object.entries(readings).flatMap(([name, reading]) => {
    const title = `site.reading_${name}`
    const lines = Object.entries(reading).flatMap(([fact, value]) => {
      const label = `site.fact_${fact}`
      const text = typeof value === 'boolean' ? t(value ? 'parts.yes' : 'parts.no') : formatFact(fact, value)
      return isKey(label) && text !== null ? [{ label: t(label), text }] : []
    })
    return isKey(title) && lines.length > 0 ? [{ title: t(title), lines }] : []
  })
  return (
    <div class="admin-readings">
      {shown.map(({ title, lines }) => (
        <section key={title}>
          <h3>{title}</h3>
          <Facts>
            {lines.map(({ label, text }) => (
              <Fact key={label} name={label}>
                {text}
              </Fact>
            ))}
          </Facts>
        </section>
      ))}
    </div>
  )
}
