import { useState } from 'preact/hooks'
import type { UpdateStatus } from '#protocol/update-status.ts'
import { formatBytes, formatDateTime, isKey, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { codeOf, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { useAskingAgain } from '../use-asked.ts'
import { AdminFailure } from './act-dialog.tsx'
import { upload, useAdmin } from './ask.ts'
import { Bar } from './bar.tsx'
import { Fact, Facts } from './facts.tsx'
import { ApplyUpdate, ChangeWindow, RestartNow } from './update-acts.tsx'

export interface UpdatesAnswer extends UpdateStatus {
  readonly upload: { readonly bytes: number; readonly of: number | null } | null
  readonly uploaded: { readonly version: string; readonly bytes: number } | null
}

const lookAgainMs = 1_000

/** What runs, what waits, and a new release from a file. */
export function Updates() {
  const asked = useAdmin<UpdatesAnswer>('/update')
  const { busy, error, act: run } = useAct()
  const [file, setFile] = useState<File | null>(null)
  const [asking, setAsking] = useState<'apply' | 'window' | 'restart' | null>(null)
  const status = asked.answer
  const isMoving = busy || status?.underway != null || status?.upload != null
  useAskingAgain(asked, isMoving ? lookAgainMs : null)
  if (asked.error !== null && !status) return <UpdateFailure error={asked.error} onRetry={asked.again} />
  if (!status) return <Skeleton lines={8} />
  const send = () =>
    run(async () => {
      await upload('/update', file!)
      setFile(null)
      asked.again()
    })
  const close = () => setAsking(null)
  const done = () => {
    close()
    asked.again()
  }
  return (
    <>
      <p class="quiet">{t('updates.text')}</p>
      <Standing status={status} />
      {status.waiting && (
        <div class="settings-acts">
          <Button tone="main" onClick={() => setAsking('restart')}>
            {t('updates.restart')}
          </Button>
        </div>
      )}
      <Facts>
        <Fact name={t('updates.release')}>
          <bdi>{status.running.version}</bdi>
        </Fact>
        {status.slot && (
          <Fact name={t('updates.runningFrom')}>
            {t('updates.slot', { slot: status.slot.toUpperCase() })}
          </Fact>
        )}
        <Fact name={t('updates.window')}>
          {status.window === null
            ? t('updates.windowNone')
            : t('updates.windowIs', { window: isolated(status.window) })}
        </Fact>
      </Facts>
      <p>
        <Button onClick={() => setAsking('window')}>{t('updates.changeWindow')}</Button>
      </p>
      <h3>{t('updates.choose')}</h3>
      <p class="quiet">{t('updates.chooseText')}</p>
      {status.uploaded && !status.underway && (
        <Notice
          tone="good"
          actions={
            <Button tone="main" onClick={() => setAsking('apply')}>
              {t('updates.apply')}
            </Button>
          }
        >
          <p>{t('updates.uploaded', { version: isolated(status.uploaded.version) })}</p>
        </Notice>
      )}
      <p>
        <input
          type="file"
          accept=".update"
          aria-label={t('updates.choose')}
          disabled={isMoving}
          onChange={event => setFile(event.currentTarget.files?.[0] ?? null)}
        />
      </p>
      <div class="settings-acts">
        <Button tone={file ? 'main' : 'plain'} busy={busy} disabled={!file || isMoving} onClick={send}>
          {t('updates.send')}
        </Button>
      </div>
      {error !== null && <UpdateFailure error={error} />}
      <Moving status={status} />
      <h3>{t('updates.happened')}</h3>
      <Events status={status} />
      {asking === 'apply' && status.uploaded && (
        <ApplyUpdate
          version={status.uploaded.version}
          running={status.running.version}
          onDone={() => {
            toast(t('updates.begun'))
            done()
          }}
          onClose={close}
        />
      )}
      {asking === 'window' && <ChangeWindow window={status.window} onDone={done} onClose={close} />}
      {asking === 'restart' && status.waiting && (
        <RestartNow
          version={status.waiting.version}
          onDone={() => {
            toast(t('updates.restarting'))
            done()
          }}
          onClose={close}
        />
      )}
    </>
  )
}

function Standing({ status }: { status: UpdatesAnswer }) {
  const { running, waiting, went_back: wentBack, on_trial: isOnTrial } = status
  return (
    <>
      {wentBack && (
        <Notice tone="bad">
          <p>
            {t('updates.wentBack', {
              version: isolated(wentBack.version),
              running: isolated(running.version),
              date: formatDateTime(wentBack.ts),
            })}
          </p>
          <p>{t('updates.wentBackDo')}</p>
        </Notice>
      )}
      {waiting && (
        <Notice tone="warn">
          <p>{t('updates.waits', { version: isolated(waiting.version) })}</p>
          <p>{t('updates.waitsSince', { date: formatDateTime(waiting.ts) })}</p>
        </Notice>
      )}
      {!waiting && !wentBack && (
        <Notice tone={isOnTrial ? 'warn' : 'good'}>
          <p>{t('updates.runs', { version: isolated(running.version) })}</p>
          {isOnTrial && <p>{t('updates.onTrial')}</p>}
        </Notice>
      )}
    </>
  )
}

/** On its way: to the server, or to the other slot. */
function Moving({ status: { upload: sent, underway } }: { status: UpdatesAnswer }) {
  if (underway) {
    const words = t(`updates.step_${underway.step}`)
    return <Bar words={words} done={underway.bytes} of={underway.of} percent />
  }
  if (!sent || sent.of === null) return null
  const words = t('updates.uploading', { done: formatBytes(sent.bytes), total: formatBytes(sent.of) })
  return <Bar words={words} done={sent.bytes} of={sent.of} />
}

function Events({ status: { events } }: { status: UpdatesAnswer }) {
  if (events.length === 0) return <p class="quiet">{t('updates.nothing')}</p>
  return (
    <ul class="settings-rows">
      {events.toReversed().map(({ ts, kind, version = '', code, sentence }) => (
        <li key={`${ts} ${kind}`}>
          <div>
            <p class="settings-row-name">
              {t(`updates.event_${kind === 'went-back' ? 'went_back' : kind}`, {
                version: isolated(version),
              })}
            </p>
            {kind === 'refused' && <p>{refusal(code) ?? <bdi lang="en">{sentence}</bdi>}</p>}
            <p class="quiet">{formatDateTime(ts)}</p>
          </div>
        </li>
      ))}
    </ul>
  )
}

/** In the person's language, where it has a sentence for the code. */
function refusal(code: string | undefined): string | null {
  const key = `updates.error_${code}`
  return isKey(key) ? t(key) : null
}

function UpdateFailure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const code = codeOf(error)
  const words = refusal(code)
  if (words === null) return <AdminFailure error={error} {...(onRetry && { onRetry })} />
  if (code === 'UPDATE_NOT_HERE') return <Notice>{words}</Notice>
  return (
    <Notice tone="bad" actions={onRetry && <Button onClick={onRetry}>{t('parts.retry')}</Button>}>
      <p>{words}</p>
    </Notice>
  )
}

/** Versions and times of day read from left to right in every language. */
function isolated(text: string): string {
  return `\u2066${text}\u2069`
}
