import { useState } from 'preact/hooks'
import { formatDateTime, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Field } from '../parts/field.tsx'
import { Code, Name } from '../parts/name.tsx'
import { Notice } from '../parts/notice.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { toast } from '../parts/toast.tsx'
import { useAct } from '../use-act.ts'
import { ActDialog, AdminFailure } from './act-dialog.tsx'
import { act, ask, inPath, useAdmin } from './ask.ts'
import { Fact, Facts } from './facts.tsx'

interface Waiting {
  readonly code: string
  readonly label: string
  readonly scope: 'read' | 'manage'
  readonly created_ts: number
}

interface CommandLine {
  readonly id: string
  readonly user_id: string
  readonly label: string
  readonly scope: 'read' | 'manage'
  readonly created_ts: number
  readonly expires_ts: number
}

/** So often a command that waits asks whether it was let in. */
const commandAsksEveryMs = 3_000

/** A command line that shows a code is let in, for some hours; those that are in can be put out. */
export function CommandLines() {
  const [code, setCode] = useState('')
  const [found, setFound] = useState<Waiting | null>(null)
  const [ending, setEnding] = useState<CommandLine | null>(null)
  const lines = useAdmin<{ command_lines: CommandLine[] }>('/command-lines')
  const { busy, error, act: run } = useAct()
  const path = found && `/command-lines/waiting/${inPath(found.code)}`
  const look = (event: Event) => {
    event.preventDefault()
    void run(async () => setFound(await ask<Waiting>(`/command-lines/waiting/${inPath(code.trim())}`)))
  }
  const close = () => {
    setFound(null)
    setCode('')
  }
  const list = lines.answer?.command_lines
  return (
    <>
      <p>{t('admin.commandText')}</p>
      <Code block>{`letro login ${location.origin}`}</Code>
      <form onSubmit={look}>
        <Field
          label={t('admin.commandCode')}
          hint={t('admin.commandCodeHint')}
          value={code}
          dir="ltr"
          autoCapitalize="characters"
          autoComplete="off"
          spellcheck={false}
          maxLength={20}
          onInput={event => setCode(event.currentTarget.value)}
        />
        {error !== null && <AdminFailure error={error} />}
        <Button tone="main" type="submit" busy={busy} disabled={code.trim().length < 8}>
          {t('parts.next')}
        </Button>
      </form>
      <h3>{t('admin.commandsIn')}</h3>
      {lines.error !== null && <AdminFailure error={lines.error} onRetry={lines.again} />}
      {!list && lines.error === null && <Skeleton lines={2} />}
      {list?.length === 0 && <p class="quiet">{t('admin.noCommands')}</p>}
      <ul class="settings-rows">
        {list?.map(line => (
          <li key={line.id}>
            <div>
              <p class="settings-row-name">
                <Name of={line.label} limit={100} />
              </p>
              <p class="quiet">
                {t(`admin.scope_${line.scope}`)} · {t('admin.commandBy')} <Code>{line.user_id}</Code> ·{' '}
                {t('admin.commandUntil', { date: formatDateTime(line.expires_ts) })}
              </p>
            </div>
            <Button onClick={() => setEnding(line)}>{t('admin.endCommand')}</Button>
          </li>
        ))}
      </ul>
      {found && path && (
        <ActDialog
          title={t('admin.page_command')}
          confirm={t('admin.allow')}
          onDo={() => act('POST', `${path}/approve`)}
          onDone={() => {
            close()
            toast(t('admin.allowed'))
            // It is in once it has fetched what it waits for.
            setTimeout(lines.again, commandAsksEveryMs + 1000)
          }}
          onClose={() => {
            // Whoever says no means it: the code opens nothing any more.
            void act('DELETE', path).catch(() => {})
            close()
          }}
        >
          <Notice tone="warn">{t('admin.commandClaim')}</Notice>
          <Facts>
            <Fact name={t('admin.commandSays')}>
              <Name of={found.label} limit={100} />
            </Fact>
            <Fact name={t('admin.commandMay')}>{t(`admin.scopeHint_${found.scope}`)}</Fact>
            <Fact name={t('admin.commandFor')}>{t('admin.eightHours')}</Fact>
          </Facts>
        </ActDialog>
      )}
      {ending && (
        <ActDialog
          title={t('admin.endCommand')}
          confirm={t('admin.endCommand')}
          byPasskey={false}
          onDo={() => act('DELETE', `/command-lines/${inPath(ending.id)}`)}
          onDone={() => {
            setEnding(null)
            lines.again()
          }}
          onClose={() => setEnding(null)}
        >
          <p>{t('admin.endCommandText')}</p>
        </ActDialog>
      )}
    </>
  )
}
