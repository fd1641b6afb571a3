import { isObject, type Json, type JsonObject } from '#protocol/json.ts'
import { formatDate, t } from '../../i18n/i18n.ts'
import { Empty } from '../parts/empty.tsx'
import { Code } from '../parts/name.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { AdminFailure } from './act-dialog.tsx'
import { formatSpan } from './amounts.ts'
import type { HealthAnswer } from './answers.ts'
import { useAdmin } from './ask.ts'
import { CertificateActs } from './certificate-acts.tsx'
import { Fact, Facts } from './facts.tsx'
import { FindingView } from './finding.tsx'
import { Words } from './words.tsx'

/** Which certificates this server shows, how long they are good, and what is wrong with them or with those of peers. */
export function Certificates() {
  const health = useAdmin<HealthAnswer & JsonObject>('/health')
  if (health.error !== null) return <AdminFailure error={health.error} onRetry={health.again} />
  if (!health.answer) return <Skeleton lines={8} />
  const { findings, readings } = health.answer
  const { server, authority } = readings['certificates'] ?? {}
  const shown = Array.isArray(server) ? server.filter(isObject) : []
  return (
    <>
      <p class="quiet">{t('site.certificatesText')}</p>
      {findings
        .filter(({ code }) => code.startsWith('certificate.'))
        .map(finding => (
          <FindingView key={`${finding.code} ${finding.subject ?? ''}`} finding={finding} />
        ))}
      {shown.length === 0 && (
        <Empty title={t('site.noCertificate')}>
          <p>{t('site.noCertificateText')}</p>
        </Empty>
      )}
      {shown.map((certificate, i) => (
        <section key={i}>
          <h3>{useWords(certificate['use'])}</h3>
          <Facts>
            <Line name={t('site.names')} value={certificate['names']} isCode />
            <End from={certificate['not_before_ts']} to={certificate['not_after_ts']} />
            <Line name={t('site.fingerprint')} value={certificate['fingerprint_sha256']} isCode />
          </Facts>
        </section>
      ))}
      {isObject(authority) && (
        <section>
          <h3>{t('site.authority')}</h3>
          <p class="quiet">{t('site.authorityText')}</p>
          <Facts>
            <End from={undefined} to={authority['not_after_ts']} />
            <Line name={t('site.fingerprint')} value={authority['fingerprint_sha256']} isCode />
          </Facts>
        </section>
      )}
      <TrustPage />
      <CertificateActs onChange={health.again} />
    </>
  )
}

interface SiteAnswer extends JsonObject {
  readonly trust_page: string | null
  readonly authority: { readonly words: string[] } | null
}

/** How a device that knows nothing yet comes to trust this server. */
function TrustPage() {
  const site = useAdmin<SiteAnswer>('/site')
  if (site.error !== null) return <AdminFailure error={site.error} onRetry={site.again} />
  const { trust_page: page = null, authority = null } = site.answer ?? {}
  if (page === null && authority === null) return null
  return (
    <section>
      <h3>{t('site.trustPage')}</h3>
      <p class="quiet">{t('site.trustPageText')}</p>
      {page !== null && (
        <p>
          <a href={page} target="_blank" rel="noopener">
            <Code>{page}</Code>
          </a>
        </p>
      )}
      {authority && <Words words={authority.words} label={t('site.authorityWords')} />}
    </section>
  )
}

function Line({ name, value, isCode = false }: { name: string; value: Json | undefined; isCode?: boolean }) {
  if (typeof value !== 'string' || value === '') return null
  return <Fact name={name}>{isCode ? <Code>{value}</Code> : value}</Fact>
}

function End({ from, to }: { from: Json | undefined; to: Json | undefined }) {
  if (typeof to !== 'number') return null
  const left = to - Date.now()
  return (
    <>
      {typeof from === 'number' && <Fact name={t('site.validFrom')}>{formatDate(from)}</Fact>}
      <Fact name={t('site.validUntil')}>
        {formatDate(to)} ·{' '}
        {left > 0 ? t('site.left', { span: formatSpan(left) }) : t('site.over', { span: formatSpan(-left) })}
      </Fact>
    </>
  )
}

function useWords(use: Json | undefined): string {
  if (use === 'people') return t('site.use_people')
  if (use === 'federation') return t('site.use_federation')
  return t('site.use_server')
}
