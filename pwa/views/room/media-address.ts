/**
 * Addresses (`blob:`) of attachments in this tab. The worker decrypts and verifies; here the bytes get a type that cannot run.
 *
 * An address lives while somebody shows it, and a while longer: who scrolls back should not wait. Then its memory is freed.
 */
import { useEffect, useState } from 'preact/hooks'
import { VaultError } from '../../vault/errors.ts'
import { call } from '../account.ts'
import { isDrawable } from '../parts/picture-size.ts'
import { type FileSource, isPicture, shownType } from './attached-file.ts'

export interface MediaQuestion {
  readonly source: FileSource
  readonly mime: string
  readonly maxBytes: number
  readonly thumbnail?: { readonly width: number; readonly height: number }
}

interface Kept {
  readonly address: Promise<string>
  users: number
}

/** What is larger is not fetched unasked. */
export const unaskedBytes = 8 * 1024 * 1024
/** What a browser tab can hold as one piece. */
export const mostBytes = 1024 ** 3
const keptUnused = 60
const kept = new Map<string, Kept>()

export interface Media {
  readonly address: string | null
  readonly error: unknown
  readonly again: () => void
}

/** Null: not wanted (yet). */
export function useMedia(question: MediaQuestion | null): Media {
  const name = question && nameOf(question)
  const [state, setState] = useState<{ name: string | null; address: string | null; error: unknown }>({
    name,
    address: null,
    error: null,
  })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (!question || name === null) return
    let gone = false
    const entry = hold(name, question)
    entry.address.then(
      address => {
        if (!gone) setState({ name, address, error: null })
      },
      error => {
        if (!gone) setState({ name, address: null, error })
      },
    )
    return () => {
      gone = true
      entry.users--
      forgetUnused()
    }
  }, [name, attempt])
  const isSame = state.name === name
  return {
    address: isSame ? state.address : null,
    error: isSame ? state.error : null,
    again: () => setAttempt(attempt + 1),
  }
}

/** The bytes, for saving: of no type that anything would open here. */
export async function fetchMedia({ source, mime, maxBytes }: MediaQuestion): Promise<Blob> {
  const blob = await call('media', { ...source, maxBytes })
  return new Blob([blob], { type: shownType(mime) })
}

/** By the browser's own way of saving; the name is the sender's, the browser makes it harmless. */
export async function saveMedia(question: MediaQuestion, name: string): Promise<void> {
  const address = URL.createObjectURL(await fetchMedia(question))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

/** Where its transfer is told. */
export function transferIdOf(source: FileSource): string {
  return 'mxc' in source ? source.mxc : String(source.file['url'])
}

function hold(name: string, question: MediaQuestion): Kept {
  const known = kept.get(name)
  const entry: Kept = known ?? { address: addressFor(question), users: 0 }
  // The newest used is the last.
  kept.delete(name)
  kept.set(name, entry)
  entry.users++
  entry.address.catch(() => {
    if (kept.get(name) === entry) kept.delete(name)
  })
  return entry
}

async function addressFor({ source, mime, maxBytes, thumbnail }: MediaQuestion): Promise<string> {
  const blob = await call('media', { ...source, maxBytes, ...(thumbnail && { thumbnail }) })
  // The server makes thumbnails of its own type.
  const type = shownType(thumbnail ? blob.type : mime)
  if (isPicture(type) && !(await isDrawable(blob)))
    throw new VaultError('PICTURE_TOO_LARGE', 'this is no picture that could be drawn')
  return URL.createObjectURL(new Blob([blob], { type }))
}

function forgetUnused(): void {
  const unused = [...kept].filter(([, { users }]) => users === 0)
  for (const [name, { address }] of unused.slice(0, -keptUnused)) {
    kept.delete(name)
    address.then(
      known => URL.revokeObjectURL(known),
      () => {},
    )
  }
}

function nameOf({ source, thumbnail }: MediaQuestion): string {
  return `${transferIdOf(source)} ${thumbnail ? `${thumbnail.width}×${thumbnail.height}` : ''}`
}
