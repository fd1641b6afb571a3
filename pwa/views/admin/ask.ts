/** The administration API as views ask it: questions, acts (which may ask for the passkey), files. */
import { useEffect, useState } from 'preact/hooks'
import type { JsonObject } from '#protocol/json.ts'
import type { AdminRequest } from '../../worker/calls.ts'
import { call } from '../account.ts'
import { confirmed } from '../passkey-gesture.ts'
import { saveFile } from '../settings/save-file.ts'
import { type Asked, useAsked } from '../use-asked.ts'

/** As the server writes it; server/admin-api/README.md says what is in it. */
export function ask<T = JsonObject>(path: string): Promise<T> {
  return call('administer', { method: 'GET', path }) as Promise<T>
}

/** A question that is sent with a body and changes nothing. */
export function look<T = JsonObject>(path: string, body: JsonObject): Promise<T> {
  return call('administer', { method: 'POST', path, body }) as Promise<T>
}

/** An answer of the administration API in a view; asked anew where the path changes. */
export function useAdmin<T = JsonObject>(path: string): Asked<T> {
  return useAsked(path, () => ask<T>(path))
}

/** Where the server wishes it, the person is asked for a passkey first. */
export function act<T = JsonObject>(
  method: AdminRequest['method'],
  path: string,
  body: JsonObject = {},
): Promise<T> {
  return confirmed(auth => call('administer', { method, path, body, auth })) as Promise<T>
}

export function upload<T = JsonObject>(path: string, content: Blob): Promise<T> {
  return call('adminUpload', { path, content }) as Promise<T>
}

export async function download(path: string, name: string): Promise<void> {
  saveFile(await call('adminFile', path), name)
}

/** An id as part of a path. */
export const inPath = encodeURIComponent

/** A path with those values that are given. */
export function withQuery(
  path: string,
  values: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') query.set(name, String(value))
  return query.size === 0 ? path : `${path}?${query}`
}

export interface Pages<T> {
  /** Null: not answered yet. */
  readonly items: readonly T[] | null
  readonly first: JsonObject | null
  readonly error: unknown
  readonly hasMore: boolean
  readonly more: () => void
  readonly again: () => void
}

interface Read<T> {
  readonly path: string
  readonly items: readonly T[] | null
  readonly first: JsonObject | null
  readonly next: string | undefined
  readonly error: unknown
}

/** A list that comes page by page, under `name` in each answer. */
export function usePages<T>(path: string, name: string): Pages<T> {
  const none: Read<T> = { path, items: null, first: null, next: undefined, error: null }
  const [read, setRead] = useState(none)
  const [attempt, setAttempt] = useState(0)
  const shown = read.path === path ? read : none
  const fetchPage = async (from: string | undefined, isWanted: () => boolean) => {
    const before = from === undefined ? none : shown
    try {
      const query = from === undefined ? '' : `${path.includes('?') ? '&' : '?'}from=${inPath(from)}`
      const answer = await ask(`${path}${query}`)
      if (!isWanted()) return
      const { [name]: items, next_batch: next } = answer
      setRead({
        path,
        items: [...(before.items ?? []), ...(items as unknown as T[])],
        first: before.first ?? answer,
        next: next === undefined ? undefined : String(next),
        error: null,
      })
    } catch (error) {
      if (isWanted()) setRead({ ...before, error })
    }
  }
  useEffect(() => {
    let gone = false
    void fetchPage(undefined, () => !gone)
    return () => {
      gone = true
    }
  }, [path, attempt])
  return {
    ...shown,
    hasMore: shown.next !== undefined,
    more: () => void fetchPage(shown.next, () => true),
    again: () => setAttempt(attempt + 1),
  }
}
