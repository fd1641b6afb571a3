/** What a request for media may ask of it, the same for people and for peers. Spec: client-server-api#content-repository */
import { queryBoolean, queryInteger, queryText } from './fields.ts'
import { invalidParam, missingParam } from './matrix-error.ts'
import type { Context } from './route.ts'

const defaultWaitMs = 20_000
const maxWaitMs = 60_000

export interface ThumbnailQuery {
  readonly width: number
  readonly height: number
  readonly method: 'crop' | 'scale'
  readonly animated: boolean
}

export function queryThumbnail({ query }: Context): ThumbnailQuery {
  const width = queryInteger(query, 'width', 1, 100_000)
  const height = queryInteger(query, 'height', 1, 100_000)
  if (width === undefined) throw missingParam('width')
  if (height === undefined) throw missingParam('height')
  const method = queryText(query, 'method') ?? 'scale'
  if (method !== 'crop' && method !== 'scale') throw invalidParam('method must be crop or scale.')
  return { width, height, method, animated: queryBoolean(query, 'animated') ?? false }
}

/** `timeout_ms`: "the default value is 20000 (20 seconds)"; the server imposes a maximum. */
export function queryWaitMs({ query }: Context): number {
  return Math.min(queryInteger(query, 'timeout_ms') ?? defaultWaitMs, maxWaitMs)
}
