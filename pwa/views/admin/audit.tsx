import { useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import { formatDateTime, formatNumber, isKey, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Empty } from '../parts/empty.tsx'
import { Field } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { useSettled } from '../rooms/use-settled.ts'
import { useAct } from '../use-act.ts'
import { AdminFailure } from './act-dialog.tsx'
import type { AuditEntry } from './answers.ts'
import { ask, download, usePages, withQuery } from './ask.ts'
import { CopyButton, Select } from './facts.tsx'

/** How acts begin: what an administrator looks for. */
const areas = [
  'account',
  'enrolment-link',
  're-enrolment-link',
  'peer',
  'room',
  'backup',
  'update',
  'site',
] as const

type Verdict =
  | { readonly whole: true; readonly entries: number; readonly hash: string }
  | { readonly whole: false; readonly sequence: number; readonly reason: string }

/** Who did what to whom, the newest first. `of`: about one person or server. */
export function Audit({ of = '' }: { of?: string }) {
  const [target, setTarget] = useState(of)
  const [actor, setActor] = useState('')
  const [area, setArea] = useState<(typeof areas)[number] | ''>('')
  const settled = useSettled(`${target.trim()}\n${actor.trim()}`).split('\n')
  const path = withQuery('/audit', {
    order: 'newest',
    limit: 100,
    target: settled[0] ?? '',
    actor: settled[1] ?? '',
    action: area === '' ? '' : `${area}.`,
  })
  const audit = usePages<AuditEntry>(path, 'entries')
  return (
    <>
      <p class="quiet">{t('admin.auditText')}</p>
      <Chain />
      <search class="admin-filters">
        <Field
          type="search"
          label={t('admin.auditTarget')}
          value={target}
          dir="ltr"
          onInput={event => setTarget(event.currentTarget.value)}
        />
        <Field
          type="search"
          label={t('admin.auditActor')}
          value={actor}
          dir="ltr"
          onInput={event => setActor(event.currentTarget.value)}
        />
        <Select
          label={t('admin.auditArea')}
          value={area}
          options={[
            ['', t('admin.area_all')],
            ...areas.map(each => [each, t(`admin.area_${each}`)] as const),
          ]}
          onChange={setArea}
        />
      </search>
      {audit.error !== null && <AdminFailure error={audit.error} onRetry={audit.again} />}
      {!audit.items && audit.error === null && <Skeleton lines={8} />}
      {audit.items?.length === 0 && (
        <Empty title={t('admin.auditNone')}>
          <p>{t('admin.auditNoneText')}</p>
        </Empty>
      )}
      <ol class="admin-audit">
        {audit.items?.map(entry => (
          <li key={entry.sequence}>
            <Entry entry={entry} />
          </li>
        ))}
      </ol>
      {audit.hasMore && <Button onClick={audit.more}>{t('people.more')}</Button>}
    </>
  )
}

/** Time and number in the margin, the act beside it: as a room's ledger. */
function Entry({ entry }: { entry: AuditEntry }) {
  const { sequence, ts, actor, action, target, detail } = entry
  const key = `admin.act_${action.replaceAll(/[.-]/g, '_')}`
  return (
    <>
      <span class="admin-margin">
        <span>{formatNumber(sequence)}</span>
        <time dateTime={new Date(ts).toISOString()}>{formatDateTime(ts)}</time>
      </span>
      <div>
        <p>
          <strong>{isKey(key) ? t(key) : action}</strong>
          {target !== undefined && (
            <>
              {' '}
              · <Code>{target}</Code>
            </>
          )}
        </p>
        <p class="quiet">
          {t('admin.auditBy')} <Code>{actor}</Code>
        </p>
        {detail && (
          <details>
            <summary>{t('parts.details')}</summary>
            <Code block>{JSON.stringify(detail)}</Code>
          </details>
        )}
      </div>
    </>
  )
}

/** Is the record whole? And a copy that is kept elsewhere, against which it can be held. */
function Chain() {
  const [verdict, setVerdict] = useState<Verdict | null>(null)
  const { busy, error, act } = useAct()
  const check = () => act(async () => setVerdict(await ask<Verdict & JsonObject>('/audit/check')))
  const day = new Date().toISOString().slice(0, 10)
  return (
    <>
      <div class="settings-acts">
        <Button busy={busy} onClick={check}>
          {t('admin.auditCheck')}
        </Button>
        <Button onClick={() => act(() => download('/audit/export', `audit-${day}.jsonl`))}>
          {t('admin.auditExport')}
        </Button>
      </div>
      {error !== null && <AdminFailure error={error} />}
      {verdict?.whole === true && (
        <Notice tone="good" actions={<CopyButton text={verdict.hash} label={t('admin.auditCopyHash')} />}>
          <p>{t('admin.auditWhole', { count: formatNumber(verdict.entries) })}</p>
          <p>
            <Code>{verdict.hash}</Code>
          </p>
        </Notice>
      )}
      {verdict?.whole === false && (
        <Notice tone="bad">
          <p>{t('admin.auditBroken', { number: formatNumber(verdict.sequence) })}</p>
          <p>
            <bdi>{verdict.reason}</bdi>
          </p>
        </Notice>
      )}
    </>
  )
}
