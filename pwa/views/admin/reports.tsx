import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Code } from '../parts/name.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { addressOf } from '../route.ts'
import { AdminFailure } from './act-dialog.tsx'
import type { ReportAnswer } from './answers.ts'
import { usePages } from './ask.ts'
import { Fact, Facts } from './facts.tsx'

/** What people reported, the newest first, with who reported: for administrators alone. */
export function Reports() {
  const reports = usePages<ReportAnswer>('/reports?limit=50', 'reports')
  return (
    <>
      <p class="quiet">{t('admin.reportsText')}</p>
      {reports.error !== null && <AdminFailure error={reports.error} onRetry={reports.again} />}
      {!reports.items && reports.error === null && <Skeleton lines={6} />}
      {reports.items?.length === 0 && (
        <Empty title={t('admin.noReports')}>
          <p>{t('admin.noReportsText')}</p>
        </Empty>
      )}
      <ul class="settings-rows">
        {reports.items?.map(report => (
          <li key={report.id}>
            <div>
              <p class="settings-row-name">
                {t(`admin.report_${report.kind}`)} · <time>{formatDateTime(report.ts)}</time>
              </p>
              <p class="admin-reason">
                {report.reason === '' ? t('admin.noReason') : <bdi>{report.reason}</bdi>}
              </p>
              <Facts>
                <Fact name={t('admin.reporter')}>
                  <Code>{report.reporter}</Code>
                </Fact>
                {report.user_id !== undefined && (
                  <Fact name={t('admin.reported')}>
                    <a href={addressOf({ view: 'admin', page: 'people', of: report.user_id })}>
                      <Code>{report.user_id}</Code>
                    </a>
                  </Fact>
                )}
                {report.room_id !== undefined && (
                  <Fact name={t('admin.reportedRoom')}>
                    <a href={addressOf({ view: 'admin', page: 'rooms', of: report.room_id })}>
                      <Code>{report.room_id}</Code>
                    </a>
                  </Fact>
                )}
                {report.event_id !== undefined && (
                  <Fact name={t('admin.reportedMessage')}>
                    <Code>{report.event_id}</Code>
                  </Fact>
                )}
              </Facts>
            </div>
          </li>
        ))}
      </ul>
      {reports.hasMore && <Button onClick={reports.more}>{t('people.more')}</Button>}
    </>
  )
}
