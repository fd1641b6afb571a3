import './notice.css'
import type { ComponentChildren } from 'preact'
import { errorKey } from '../../i18n/error-key.ts'
import { isKey, t } from '../../i18n/i18n.ts'

/** Words at the place that they are about. `warn` and `bad` are announced. */
export function Notice({
  tone = 'plain',
  children,
  actions,
}: {
  tone?: 'plain' | 'good' | 'warn' | 'bad'
  children: ComponentChildren
  actions?: ComponentChildren
}) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : tone === 'warn' ? 'status' : undefined}>
      <div>{children}</div>
      {actions !== undefined && <div class="notice-actions">{actions}</div>}
    </div>
  )
}

/** What failed, in our words; the server's own under Details. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <Notice
      tone="bad"
      actions={
        onRetry && (
          <button type="button" class="button quiet" onClick={onRetry}>
            {t('parts.retry')}
          </button>
        )
      }
    >
      <p>{errorText(error)}</p>
      {detailOf(error) !== '' && (
        <details>
          <summary>{t('parts.details')}</summary>
          <p class="notice-detail" dir="auto">
            {detailOf(error)}
          </p>
        </details>
      )}
    </Notice>
  )
}

/** The catalogue's text for an error's code. */
export function errorText(error: unknown): string {
  const code = codeOf(error)
  const key = errorKey(code)
  return isKey(key) ? t(key) : t('errors.unknown', { code })
}

export function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'INTERNAL'
}

function detailOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' ? message.slice(0, 500) : ''
}
