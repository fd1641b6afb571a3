import { useState } from 'preact/hooks'
import { formatBytes, formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Code } from '../parts/name.tsx'
import { codeOf, Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { useAskingAgain } from '../use-asked.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { formatSpan } from './amounts.ts'
import { act, download, inPath, useAdmin, withQuery } from './ask.ts'
import { CopyButton, Fact, Facts } from './facts.tsx'

interface OneBackup {
  readonly ts: number
  readonly name: string
  readonly bytes: number
  readonly full: boolean
}

interface BackupAnswer {
  readonly encrypted_for: readonly string[] | 'passphrase' | null
  readonly folder: string | null
  readonly sftp: string | null
  readonly sftp_public_key: string | null
  readonly next_ts: number | null
  readonly last_success?: OneBackup & { readonly places: readonly string[] }
  readonly last_failure?: { readonly ts: number; readonly code: string; readonly error: string }
  readonly running?: { readonly since_ts: number; readonly step: string; readonly bytes: number }
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

const lookAgainMs = 3_000
const alarmAfterMs = 48 * 60 * 60 * 1000

/** Whether this server would survive the loss of its disk, and for whom its backups are. */
export function Backup() {
  const asked = useAdmin<BackupAnswer>('/backups')
  const { busy, error, act: run } = useAct()
  const [isChanging, setChanging] = useState(false)
  const status = asked.answer
  const isRunning = status?.running !== undefined
  useAskingAgain(asked, isRunning ? lookAgainMs : null)
  if (!status && asked.error !== null) return <AdminFailure error={asked.error} onRetry={asked.again} />
  if (!status) return <Skeleton lines={8} />
  const mayRun = status.encrypted_for !== null
  const now = () =>
    run(async () => {
      await act('POST', '/backups').catch(error => {
        // The nightly duty was first: it is on its way all the same.
        if (codeOf(error) !== 'BACKUP_RUNNING') throw error
      })
      toast(t('site.backupBegun'))
      asked.again()
    })
  return (
    <>
      <Standing status={status} />
      <div class="settings-acts">
        <Button
          tone={mayRun ? 'main' : 'plain'}
          busy={busy || isRunning}
          disabled={!mayRun || status.folder === null}
          onClick={now}
        >
          {t('site.backupNow')}
        </Button>
        <Button
          disabled={!mayRun || busy}
          onClick={() => run(() => fetchBackup('new', `letro-${new Date().toISOString().slice(0, 10)}.age`))}
        >
          {t('site.backupPull')}
        </Button>
      </div>
      {error !== null && <AdminFailure error={error} />}
      <Facts>
        <Fact name={t('site.encryptedFor')}>
          {status.encrypted_for === null && t('site.forNobody')}
          {status.encrypted_for === 'passphrase' && t('site.forPassphrase')}
          {Array.isArray(status.encrypted_for) && (
            <ul class="admin-plain">
              {status.encrypted_for.map(each => (
                <li key={each}>
                  <Code>{each}</Code>
                </li>
              ))}
            </ul>
          )}
        </Fact>
        <Fact name={t('site.backupFolder')}>
          {status.folder === null ? t('site.none') : <Code>{status.folder}</Code>}
        </Fact>
        <Fact name={t('site.backupSftp')}>
          {status.sftp === null ? t('site.none') : <Code>{status.sftp}</Code>}
        </Fact>
        {status.sftp_public_key !== null && (
          <Fact name={t('site.backupSftpKey')}>
            <p>{t('site.backupSftpKeyText')}</p>
            <Code block>{status.sftp_public_key}</Code>
            <p>
              <CopyButton text={status.sftp_public_key} label={t('parts.copy')} />
            </p>
          </Fact>
        )}
        <Fact name={t('site.backupNext')}>
          {status.next_ts === null ? t('site.backupByHand') : formatDateTime(status.next_ts)}
        </Fact>
      </Facts>
      <p>
        <Button tone={mayRun ? 'plain' : 'main'} onClick={() => setChanging(true)}>
          {t('site.changeRecipients')}
        </Button>
      </p>
      {status.files.length > 0 && (
        <>
          <h3>{t('site.backupFiles')}</h3>
          <ul class="settings-rows">
            {status.files.map(file => (
              <li key={file.name}>
                <div>
                  <Code>{file.name}</Code>
                  <p class="quiet">{formatBytes(file.bytes)}</p>
                </div>
                <Button onClick={() => run(() => fetchBackup(file.name, file.name))}>
                  {t('site.fetchFile')}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{t('site.drill')}</h3>
      <p>{t('site.drillText')}</p>
      <Code block>letro backup verify FILE --key KEY</Code>
      {isChanging && (
        <Recipients
          now={Array.isArray(status.encrypted_for) ? status.encrypted_for : []}
          onDone={() => {
            setChanging(false)
            toast(t('people.changed'))
            asked.again()
          }}
          onClose={() => setChanging(false)}
        />
      )}
    </>
  )
}

/** Whoever has it and a key has all data: the passkey first. */
async function fetchBackup(name: string, as: string): Promise<void> {
  const { ticket } = await act<{ ticket: string }>('POST', '/backup-tickets', { name })
  await download(withQuery(`/backups/${inPath(name)}`, { ticket }), as)
}

function Standing({ status }: { status: BackupAnswer }) {
  const { last_success: success, last_failure: failure, running } = status
  const hasFailed = failure !== undefined && failure.ts > (success?.ts ?? 0)
  const isOld = success !== undefined && Date.now() - success.ts > alarmAfterMs
  return (
    <>
      {!success && <Notice tone="bad">{t('site.backupNone')}</Notice>}
      {success && (
        <Notice tone={isOld ? 'bad' : 'good'}>
          <p>
            {t('site.backupLast', {
              date: formatDateTime(success.ts),
              span: formatSpan(Date.now() - success.ts),
              size: formatBytes(success.bytes),
            })}
          </p>
          {isOld && <p>{t('site.backupOld')}</p>}
        </Notice>
      )}
      {hasFailed && (
        <Notice tone="warn">
          <p>{t('site.backupFailed', { date: formatDateTime(failure.ts) })}</p>
          <p>
            <Code>{failure.code}</Code> <bdi>{failure.error}</bdi>
          </p>
        </Notice>
      )}
      {running && <p role="status">{t('site.backupRunning', { size: formatBytes(running.bytes) })}</p>}
    </>
  )
}

/** For whom: whoever has the private halves can read all of this server's data. */
function Recipients({
  now,
  onDone,
  onClose,
}: {
  now: readonly string[]
  onDone: () => void
  onClose: () => void
}) {
  const [text, setText] = useState(now.join('\n'))
  const recipients = text.split(/\s+/).filter(Boolean)
  const isGood = recipients.length > 0 && recipients.every(each => /^age1[a-z0-9]+$/.test(each))
  return (
    <ActDialog
      wide
      title={t('site.changeRecipients')}
      confirm={t('parts.save')}
      grave
      disabled={!isGood}
      onDo={() => act('PUT', '/backup-recipients', { recipients })}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{t('site.recipientsText')}</p>
      <label class="labelled">
        <span>{t('site.recipients')}</span>
        <textarea
          rows={4}
          dir="ltr"
          spellcheck={false}
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
      </label>
      {text.trim() !== '' && !isGood && <Notice tone="warn">{t('site.recipientsWrong')}</Notice>}
      <p>{t('site.recipientsMake')}</p>
      <Code block>letro backup key</Code>
    </ActDialog>
  )
}
