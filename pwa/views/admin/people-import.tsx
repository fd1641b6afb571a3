import { useEffect, useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import type { RosterProblem } from '#protocol/roster-problem.ts'
import { formatNumber, isKey, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Switch } from '../parts/field.tsx'
import { Code } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { saveFile } from '../settings/save-file.ts'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { act, ask, look } from './ask.ts'
import { Bar } from './bar.tsx'

interface Imported {
  readonly user_id: string
  readonly link?: string
  readonly code?: string
}

/** What the list would change, or changed: server/admin-api/README.md. */
interface ImportReport extends JsonObject {
  readonly new: (Imported & JsonObject)[]
  readonly waiting: (Imported & JsonObject)[]
  readonly changed: JsonObject[]
  readonly leavers: { readonly user_id: string }[]
  readonly unchanged: number
  readonly problems: (RosterProblem & { readonly message: string } & JsonObject)[]
}

interface Progress {
  readonly done: number
  readonly total: number
}

/** More is no list of people. */
const maxBytes = 15 * 1024 * 1024
const shownAtOnce = 100
const lookAgainMs = 250
const columns = 'username,name,kind,ends,sponsor,language'

/** People from a file: first what would happen, then, if that is what was meant, it happens. Twice is as good as once. */
export function PeopleImport({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [csv, setCsv] = useState<string | null>(null)
  const [report, setReport] = useState<ImportReport | null>(null)
  const [done, setDone] = useState<ImportReport | null>(null)
  const [again, setAgain] = useState(false)
  const [lockLeavers, setLockLeavers] = useState(false)
  const [progress, setProgress] = useState<Progress | null>(null)
  const [isApplying, setApplying] = useState(false)
  const { busy, error, act: run } = useAct()
  useEffect(() => (isApplying ? watch(setProgress) : undefined), [isApplying])
  if (done) return <Done report={done} onClose={onClose} />
  const choose = (file: File | undefined) => {
    setReport(null)
    setCsv(null)
    if (!file) return
    void run(async () => {
      if (file.size > maxBytes) throw { code: 'M_TOO_LARGE' }
      const text = await file.text()
      setReport(await look<ImportReport>('/people/import', { csv: text }))
      setCsv(text)
    })
  }
  const apply = async () => {
    const options = { csv: csv!, apply: true, again, lock_leavers: lockLeavers }
    setApplying(true)
    try {
      const applied = await act<ImportReport>('POST', '/people/import', options)
      onDone()
      setDone(applied)
    } finally {
      setApplying(false)
    }
  }
  const changes =
    (report?.new.length ?? 0) +
    (report?.changed.length ?? 0) +
    (again ? (report?.waiting.length ?? 0) : 0) +
    (lockLeavers ? (report?.leavers.length ?? 0) : 0)
  const isGood = csv !== null && report?.problems.length === 0 && changes > 0
  return (
    <ActDialog
      wide
      title={t('people.import')}
      confirm={t('people.importApply')}
      byPasskey
      grave={lockLeavers}
      disabled={!isGood || busy}
      onDo={apply}
      onDone={() => {}}
      // What it answers are links that nobody gets again.
      canLeave={false}
      onClose={onClose}
    >
      <p>{t('people.importText')}</p>
      <Code block>{columns}</Code>
      <p>
        <input
          type="file"
          accept=".csv,text/csv"
          aria-label={t('people.importFile')}
          disabled={isApplying}
          onChange={event => choose(event.currentTarget.files?.[0])}
        />
      </p>
      {error !== null && <AdminFailure error={error} />}
      {report && <Report report={report} />}
      {isApplying && progress && (
        <Bar words={t('people.importRunning', counts(progress))} done={progress.done} of={progress.total} />
      )}
      {report && report.problems.length === 0 && report.waiting.length > 0 && (
        <Switch
          label={t('people.again')}
          hint={t('people.againHint')}
          checked={again}
          disabled={isApplying}
          onChange={setAgain}
        />
      )}
      {report && report.problems.length === 0 && report.leavers.length > 0 && (
        <Switch
          label={t('people.lockLeavers')}
          hint={t('people.lockLeaversHint')}
          checked={lockLeavers}
          disabled={isApplying}
          onChange={setLockLeavers}
        />
      )}
    </ActDialog>
  )
}

/** Of a list that is long enough to be done batch by batch. */
function watch(show: (progress: Progress | null) => void): () => void {
  const look = async () => {
    const { running } = await ask<{ running: Progress | null }>('/people/import')
    if (running) show(running)
  }
  const timer = setInterval(() => void look().catch(() => {}), lookAgainMs)
  return () => {
    clearInterval(timer)
    show(null)
  }
}

function counts({ done, total }: Progress) {
  return { done: formatNumber(done), total: formatNumber(total) }
}

function Report({ report }: { report: ImportReport }) {
  const { problems, leavers } = report
  const figures = [
    ['new', report.new.length],
    ['changed', report.changed.length],
    ['waiting', report.waiting.length],
    ['unchanged', report.unchanged],
    ['leavers', leavers.length],
    ['problems', problems.length],
  ] as const
  return (
    <>
      <div role="status">
        <dl class="admin-figures">
          {figures.map(([name, count]) => (
            <div key={name}>
              <dt>{t(`people.import_${name}`)}</dt>
              <dd>{formatNumber(count)}</dd>
            </div>
          ))}
        </dl>
      </div>
      {leavers.length > 0 && (
        <Notice tone="warn">
          <p>{t('people.importLeavers')}</p>
          <ul>
            {leavers.slice(0, shownAtOnce).map(({ user_id: userId }) => (
              <li key={userId}>
                <Code>{userId}</Code>
              </li>
            ))}
          </ul>
          <Rest of={leavers.length} />
        </Notice>
      )}
      {problems.length > 0 && (
        <Notice tone="bad">
          <p>{t('people.importProblems')}</p>
          <ul>
            {problems.slice(0, shownAtOnce).map((problem, i) => (
              <li key={i}>
                {t('people.importLine', { line: problem.line })}
                {problem.column !== undefined && (
                  <>
                    {' '}
                    <Code>{problem.column}</Code>
                  </>
                )}
                : <ProblemText problem={problem} />
              </li>
            ))}
          </ul>
          <Rest of={problems.length} />
        </Notice>
      )}
    </>
  )
}

/** In the reader's language; a code of a newer server has no words here, and is said in the server's. */
function ProblemText({ problem }: { problem: RosterProblem & { readonly message: string } }) {
  const key = `upkeep.problem_${problem.code.replaceAll('-', '_')}`
  if (!isKey(key)) return <bdi lang="en">{problem.message}</bdi>
  const facts = Object.entries(problem.facts).map(([name, fact]) => [
    name,
    typeof fact === 'number' ? formatNumber(fact) : fact,
  ])
  return <bdi>{t(key, Object.fromEntries(facts))}</bdi>
}

function Rest({ of }: { of: number }) {
  return of > shownAtOnce ? <p>{t('people.importMore', { count: of - shownAtOnce })}</p> : null
}

/** The links are keys to accounts, and the server keeps none of them: left unsaved by intent, never by a key too many. */
function Done({ report, onClose }: { report: ImportReport; onClose: () => void }) {
  const [isSaved, setSaved] = useState(false)
  const withLinks = [...report.new, ...report.waiting].filter(({ link }) => link !== undefined)
  const isUnsaved = withLinks.length > 0 && !isSaved
  const save = () => {
    const cell = (text = '') => `"${text.replaceAll('"', '""')}"`
    const lines = withLinks.map(({ user_id: userId, link, code }) => [userId, link, code].map(cell).join(','))
    const text = ['user_id,link,code', ...lines, ''].join('\r\n')
    saveFile(new Blob([text], { type: 'text/csv' }), 'letro-links.csv')
    setSaved(true)
  }
  return (
    <Dialog title={t('people.importDone')} onClose={isUnsaved ? null : onClose}>
      {withLinks.length > 0 && (
        <Notice tone="warn">{t('people.importedLinks', { count: withLinks.length })}</Notice>
      )}
      <Actions>
        {isUnsaved && <Button onClick={onClose}>{t('people.leaveLinks')}</Button>}
        {withLinks.length > 0 && (
          <Button tone={isUnsaved ? 'main' : 'plain'} onClick={save}>
            {t('people.saveLinks')}
          </Button>
        )}
        {!isUnsaved && (
          <Button tone="main" onClick={onClose}>
            {t('parts.done')}
          </Button>
        )}
      </Actions>
    </Dialog>
  )
}
