/** Files before they are sent: what they are, words with them, and what not to send. Loaded when somebody attaches. */
import './file-sheet.css'
import { useEffect, useState } from 'preact/hooks'
import { formatBytes, t } from '../../i18n/i18n.ts'
import { call } from '../account.ts'
import { Button, IconButton } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { Name } from '../parts/name.tsx'
import { Failure, Notice } from '../parts/notice.tsx'
import { isDrawable } from '../parts/picture-size.ts'
import { plainName } from '../parts/plain-name.ts'
import { useAct } from '../use-act.ts'
import { extensionOf, isPicture } from './attached-file.ts'
import { useGround } from './room-ground.ts'
import { prepare } from './upload-preparation.ts'

export const mostFiles = 20

interface Chosen {
  readonly id: number
  readonly file: File
  readonly caption: string
}

export function FileSheet({
  files,
  replyTo,
  onClose,
  onSent,
}: {
  files: readonly File[]
  replyTo: string | null
  onClose: () => void
  onSent: () => void
}) {
  const { roomId, threadRoot } = useGround()
  const [chosen, setChosen] = useState<readonly Chosen[]>(() =>
    files.slice(0, mostFiles).flatMap((file, id) => (file.size > 0 ? [{ id, file, caption: '' }] : [])),
  )
  const empty = files.filter(file => file.size === 0)
  const { busy, error, act } = useAct()
  // One after the other: they stand in the room in this order. What left is not sent again after a failure.
  const send = async () => {
    for (const each of chosen) {
      await call('sendFile', {
        roomId,
        file: each.file,
        name: each.file.name || t('room.fileUnnamed'),
        ...(each.caption.trim() !== '' && { caption: each.caption.trim() }),
        ...(threadRoot !== null && { threadRoot }),
        ...(replyTo !== null && { replyTo }),
        ...(await prepare(each.file)),
      })
      setChosen(rest => rest.filter(other => other.id !== each.id))
    }
  }
  const leave = (id: number) => {
    const rest = chosen.filter(each => each.id !== id)
    setChosen(rest)
    if (rest.length === 0) onClose()
  }
  return (
    <Dialog title={t('room.filesTitle', { count: chosen.length })} onClose={onClose}>
      <form
        onSubmit={async event => {
          event.preventDefault()
          if (await act(send)) onSent()
        }}
      >
        {files.length > mostFiles && <p class="quiet">{t('room.fileTooMany', { count: mostFiles })}</p>}
        {empty.map(file => (
          <p class="quiet" key={file.name}>
            {t('room.fileEmpty', { name: plainName(file.name) ?? t('room.fileUnnamed') })}
          </p>
        ))}
        <ul class="file-sheet">
          {chosen.map(({ id, file, caption }) => (
            <li key={id}>
              <Preview file={file} />
              <div class="file-sheet-words">
                <p>
                  <Name of={file.name} fallback={t('room.fileUnnamed')} />{' '}
                  <small>{formatBytes(file.size)}</small>
                </p>
                <Field
                  label={t('room.fileCaption')}
                  value={caption}
                  disabled={busy}
                  onInput={event => {
                    const { value } = event.currentTarget
                    setChosen(all => all.map(each => (each.id === id ? { ...each, caption: value } : each)))
                  }}
                />
              </div>
              <IconButton
                icon="close"
                label={t('room.fileRemove', { name: plainName(file.name) ?? t('room.fileUnnamed') })}
                disabled={busy}
                onClick={() => leave(id)}
              />
            </li>
          ))}
        </ul>
        {error !== null && <NotTaken error={error} file={chosen[0]?.file} />}
        <Actions>
          <Button onClick={onClose} disabled={busy}>
            {t('parts.cancel')}
          </Button>
          <Button tone="main" type="submit" autoFocus busy={busy} disabled={chosen.length === 0}>
            {t('room.filesSend')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}

/** The first that is left is the one that was not taken. */
function NotTaken({ error, file }: { error: unknown; file: File | undefined }) {
  const { details } = error as { details?: { limitBytes?: unknown } }
  if (typeof details?.limitBytes !== 'number') return <Failure error={error} />
  const name = plainName(file?.name ?? null) ?? t('room.fileUnnamed')
  return (
    <Notice tone="bad">{t('room.fileTooLarge', { name, limit: formatBytes(details.limitBytes) })}</Notice>
  )
}

function Preview({ file }: { file: File }) {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    if (!isPicture(file.type)) return
    let made: string | null = null
    let gone = false
    void isDrawable(file).then(isOne => {
      if (gone || !isOne) return
      made = URL.createObjectURL(file)
      setAddress(made)
    })
    return () => {
      gone = true
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [file])
  return address === null ? (
    <span class="file-kind" aria-hidden="true" dir="ltr">
      {extensionOf({ name: file.name, mime: file.type })}
    </span>
  ) : (
    <img src={address} alt="" onError={() => setAddress(null)} />
  )
}
