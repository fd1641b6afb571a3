import type { ComponentChildren } from 'preact'
import { isKey, t } from '../../i18n/i18n.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { codeOf, Failure, Notice } from '../parts/notice.tsx'
import { useAct } from '../use-act.ts'

/** What failed, in the administration's words where it has some. */
export function AdminFailure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const key = `admin.error_${codeOf(error)}`
  if (!isKey(key)) return <Failure error={error} {...(onRetry && { onRetry })} />
  return (
    <Notice tone="bad" actions={onRetry && <Button onClick={onRetry}>{t('parts.retry')}</Button>}>
      <p>{t(key)}</p>
    </Notice>
  )
}

/**
 * An act with what it means, to be decided in peace. `byPasskey`: the server asks for the passkey, which is said before the
 * browser does. Where somebody else was quicker, `onChanged` shows what is the case now. Whoever opened it closes it.
 */
export function ActDialog({
  title,
  confirm,
  grave = false,
  byPasskey = true,
  disabled = false,
  wide = false,
  canLeave = true,
  onDo,
  onDone,
  onChanged,
  onClose,
  children,
}: {
  title: string
  confirm: string
  grave?: boolean
  byPasskey?: boolean
  disabled?: boolean
  wide?: boolean
  /** Not while it is being done: what it answers is given once. */
  canLeave?: boolean
  onDo: () => Promise<unknown>
  onDone: () => void
  onChanged?: () => void
  onClose: () => void
  children?: ComponentChildren
}) {
  const { busy, error, act } = useAct()
  const isChanged = codeOf(error) === 'CHANGED'
  const submit = async (event: Event) => {
    event.preventDefault()
    if (await act(onDo)) onDone()
  }
  return (
    <Dialog title={title} onClose={busy && !canLeave ? null : onClose} wide={wide}>
      <form onSubmit={submit}>
        {children}
        {byPasskey && <p class="quiet">{t('admin.byPasskey')}</p>}
        {error !== null && <AdminFailure error={error} />}
        <Actions>
          <Button disabled={busy && !canLeave} onClick={onClose}>
            {t('parts.cancel')}
          </Button>
          {isChanged && onChanged ? (
            <Button tone="main" onClick={onChanged}>
              {t('admin.lookAgain')}
            </Button>
          ) : (
            <Button tone={grave ? 'grave' : 'main'} type="submit" busy={busy} disabled={disabled}>
              {confirm}
            </Button>
          )}
        </Actions>
      </form>
    </Dialog>
  )
}
