/** What is kept of the list: its filter and what is folded, by ids; names are not in it. What does not fit is as at first. Pure. */
import type { JsonObject } from '#protocol/json.ts'
import { type Filter, filters } from './sections.ts'

export type KeptList = { readonly filter: Filter; readonly closed: readonly string[] }

export function parseKeptList(kept: JsonObject | undefined): KeptList {
  const { filter, closed } = kept ?? {}
  return {
    filter: filters.find(each => each === filter) ?? 'all',
    closed: Array.isArray(closed) ? closed.filter(each => typeof each === 'string') : [],
  }
}
